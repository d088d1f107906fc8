"""What a page is faster or slower by than its curve says: one number per page, weighed by what shows it.

A page that is shown at the refresh rate says little of its speed; one on a slow core says all. So a few rows
of a page, even one, correct what was believed of it as far as they can.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from predictors.frames.curve import FrameCurve
from predictors.frames.rows import FrameRows

_REACH, _STEP = 2.5, 0.05  # of the effects that are tried, logarithm: a factor of 12
_BEND = 2.0  # standard deviations from which on a row counts linearly, not squared
_OUTLIER, _ROUNDS = 3.0, 5  # standard deviations that an error counts for at most
LEAST_NOISE, LEAST_SPREAD = 0.01, 0.03  # log: no run repeats better, no page is known better before it ran


def page_effects(
    curve: FrameCurve,
    rows: FrameRows,
    fps: np.ndarray,
    place: np.ndarray,
    weight: np.ndarray,
    believed: np.ndarray,
    spread: float,
    noise: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each page's effect on the logarithm of its rate, and how far it may be off, shape (n_pages,).

    The effect minimises the squared distance of the rows (of outliers the absolute one) plus that to what
    was believed.

    Args:
        rows, fps: measured, shape (n_samples,).
        place: number of each row's page, 0 to n_pages - 1, each with a row.
        weight: of each row.
        believed: effects before any row, shape (n_pages,).
        spread: how far those may be off, standard deviation.
        noise: of the logarithm of a row's ``fps``, see ``fit_doubt``.
    """
    n_pages = len(believed)
    log_rate = curve.log_rate(rows)
    log_share = np.log(fps) - curve.log_ceiling(rows)
    steps = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    tried = believed[:, None] + steps  # (n_pages, n_steps)
    believed_follows = curve.sensitivity(log_rate + believed[place])
    scatter = doubt(noise, believed_follows)
    off = (curve.log_bend(log_rate[:, None] + tried[place]) - log_share[:, None]) / scatter[:, None]
    loss = np.zeros((n_pages, len(steps)))
    np.add.at(loss, place, weight[:, None] * 2 * _BEND**2 * (np.sqrt(1 + (off / _BEND) ** 2) - 1))
    loss += (steps / spread) ** 2
    best = np.clip(np.argmin(loss, axis=1), 1, len(steps) - 2)
    left, middle, right = (loss[np.arange(n_pages), best + side] for side in (-1, 0, 1))
    curvature = np.maximum(left - 2 * middle + right, 1e-12)
    shift = np.clip(0.5 * (left - right) / curvature, -1.0, 1.0)
    effect = believed + steps[best] + _STEP * shift
    shown = curve.sensitivity(log_rate + effect[place]) ** 2 * weight / scatter**2
    information = np.bincount(place, shown, n_pages)
    return effect, 1 / np.sqrt(information + 1 / spread**2)


def mean_by_page(values: np.ndarray, place: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean of each page's rows, shape (n_pages,)."""
    mean: np.ndarray = np.bincount(place, weight * values) / np.bincount(place, weight)
    return mean


def robust_spread(values: np.ndarray) -> float:
    """Return the standard deviation of most ``values`` around 0; outliers count for little."""
    return float(1.4826 * np.median(np.abs(values))) if values.size else 0.0


def fit_doubt(off: np.ndarray, follows: np.ndarray) -> np.ndarray:
    """Return standard deviations of errors where the rate does not show, and what is added where it does.

    Frames shown at the refresh rate hardly scatter; on a slow core all that disturbs it shows. See ``doubt``.

    Args:
        off: errors of logarithms, shape (n_samples,).
        follows: sensitivity of each row, 0 to 1.
    """
    design = np.column_stack([np.ones(len(off)), follows**2])
    squares = off**2
    parts = np.full(2, robust_spread(off) ** 2)
    for _ in range(_ROUNDS):
        expected = np.maximum(design @ parts, LEAST_NOISE**2)
        bounded = np.minimum(squares, _OUTLIER**2 * expected)
        parts, _ = nnls(design / expected[:, None], bounded / expected)
    return np.sqrt(np.maximum(parts, [LEAST_NOISE**2, 0.0]))


def doubt(parts: np.ndarray, follows: np.ndarray) -> np.ndarray:
    """Return the standard deviation of rows by the two parts that ``fit_doubt`` gives."""
    return np.hypot(parts[0], parts[1] * follows)
