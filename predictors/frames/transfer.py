"""Frame rates learnt on one machine, made to fit another from a few pages that ran there.

What pages cost more and less by is taken over; what is fitted anew is how the machine turns its clocks into
frames: nothing, one factor, one more per kind of core, or the whole curve, whichever predicts best the pages
that the fit has not seen.
"""

from __future__ import annotations

import copy

import numpy as np

from predictors.frames.bounds import FrameBounds
from predictors.frames.contest import HeldOut
from predictors.frames.curve import FrameCurve
from predictors.frames.pages import fit_doubt, page_effects
from predictors.frames.rate import FrameRate
from predictors.frames.rows import FrameRows

SOURCE = "source"
_CORRECTIONS = (SOURCE, "offset", "cores", "curve")  # the simplest first
_WORTH = 0.95  # a richer correction must bring the error at least this far down
_FEWEST_PAGES = 3
_CAP = 1.0  # in log frame rate: a row further off is wrong, however far


def transfer_frames(
    source: FrameRate, X: np.ndarray, y: np.ndarray, pages: np.ndarray
) -> tuple[FrameRate, dict[str, float], str]:
    """Return ``source`` made to fit another machine, each correction's error, and the one that was taken.

    The error is the mean absolute one of the logarithm, each page predicted from the others.

    Args:
        source: fitted; it is not changed.
        X, y, pages: rows of the other machine, as ``FrameRate.fit`` takes them; its kinds of core are
            numbered as the source's are, from the fastest on.

    Raises:
        ValueError: fewer than three pages, or a value out of range.
    """
    X, y, pages = np.asarray(X, np.float64), np.asarray(y, np.float64), np.asarray(pages)
    rows = FrameRows.of(X, source.n_work)
    _, place = np.unique(pages, return_inverse=True)
    if place.max() + 1 < _FEWEST_PAGES or np.min(y) <= 0:
        raise ValueError(
            f"{place.max() + 1} pages, the slowest at {np.min(y):g} FPS; at least {_FEWEST_PAGES} pages with "
            "positive frame rates are needed: measure more pages on the new machine"
        )
    effect = source.learnt_effect(rows)
    scores, chosen, said = {}, SOURCE, HeldOut(np.empty(0), np.empty(0))
    for name in _CORRECTIONS:
        held_out = _held_out(name, source, rows, y, place, effect)
        scores[name] = float(np.minimum(np.abs(held_out.log_fps - np.log(y)), _CAP).mean())
        if name == SOURCE or scores[name] < _WORTH * scores[chosen]:
            chosen, said = name, held_out
    made = copy.deepcopy(source)
    made.curve_ = _corrected(chosen, source.curve_, rows, y, effect)
    own, _ = page_effects(
        made.curve_, rows, y, place, np.ones(len(y)), _of_pages(effect, place),
        source.bounds_.spread_, source.bounds_.noise_,
    )  # fmt: skip
    left = made.curve_.log_frames(rows, own[place]) - np.log(y)
    noise = fit_doubt(left, made.curve_.sensitivity(made.curve_.log_rate(rows, own[place])))
    made.range_.take_settings(rows)
    made.n_pages_ = int(place.max()) + 1
    made.held_out_ = np.exp(said.log_fps)
    made.bounds_ = FrameBounds().fit(made.curve_, noise, said, rows, y, place)
    return made, scores, chosen


def _held_out(
    name: str, source: FrameRate, rows: FrameRows, y: np.ndarray, place: np.ndarray, effect: np.ndarray
) -> HeldOut:
    said = HeldOut(np.empty(len(y)), np.empty(len(y)))
    for page in range(place.max() + 1):
        train, test = place != page, place == page
        curve = _corrected(name, source.curve_, rows.select(train), y[train], effect[train], rows)
        there = rows.select(test)
        said.log_fps[test] = curve.log_frames(there, effect[test])
        said.log_rate[test] = curve.log_rate(there, effect[test])
    return said


def _corrected(
    name: str,
    before: FrameCurve,
    rows: FrameRows,
    y: np.ndarray,
    effect: np.ndarray,
    every: FrameRows | None = None,
) -> FrameCurve:
    """Return ``before`` with what ``name`` frees fitted to the rows.

    Args:
        every: rows with all kinds of core that there are.
    """
    n_cores = int((rows if every is None else every).core.max()) + 1
    curve = FrameCurve(before.uses_work, n_cores)
    n_roles = len(before.theta_) - 5 - before.n_cores
    free = np.zeros(5 + n_roles + n_cores, bool)
    free[0] = name != SOURCE
    free[5 + n_roles :] = name in ("cores", "curve")
    free[1:5] = name == "curve"
    return curve.fit(rows, y, effect, prior=before, free=free)


def _of_pages(effect: np.ndarray, place: np.ndarray) -> np.ndarray:
    mean: np.ndarray = np.bincount(place, effect) / np.bincount(place)
    return mean
