"""The contest of what may predict frame rates, each judged by families of pages it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupKFold

from predictors.frames.candidates import fit_learner, make_learner
from predictors.frames.curve import FrameCurve
from predictors.frames.pages import LEAST_SPREAD, fit_doubt, page_effects, robust_spread
from predictors.frames.rows import FrameRows

WORK, MEAN = "work", "mean"  # what a frame takes: what was told of it, or as much on every page
_ROUNDS = 3
_CAP = 1.0  # in log frame rate: a row further off is wrong, however far
_FIRST_NOISE, _FIRST_SPREAD = np.array([0.05, 0.1]), 0.5  # logarithms, before any row


@dataclass(frozen=True)
class FittedPages:
    """A curve, and what each page is off it by.

    Attributes:
        noise: of the logarithms of rows, see ``fit_doubt``.
        spread: standard deviation of the effects of pages.
        page: what a learner sees of each page, shape (n_pages, n_columns).
        effect: of each page, shape (n_pages,).
        weight: how well each effect is known.
    """

    curve: FrameCurve
    noise: np.ndarray
    spread: float
    page: np.ndarray
    effect: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class HeldOut:
    """What a contestant says of rows whose family it has not seen; both of shape (n_samples,).

    Attributes:
        log_fps: logarithm of the displayed frames per second.
        log_rate: that of the rate without a display, over the most that it shows.
    """

    log_fps: np.ndarray
    log_rate: np.ndarray

    def off(self, fps: np.ndarray) -> np.ndarray:
        """Return by how much each row is off, logarithm, at most ``_CAP``."""
        return np.minimum(np.abs(self.log_fps - np.log(fps)), _CAP)

    def select(self, places: np.ndarray) -> HeldOut:
        """Return the rows at ``places``, indices or booleans."""
        return HeldOut(self.log_fps[places], self.log_rate[places])


def contestants(has_work: bool, learners: Sequence[str]) -> list[str]:
    """Return the names of all that compete, the simplest first: ``mean``, ``work``, ``work+ridge``, ..."""
    sides = (MEAN, WORK) if has_work else (MEAN,)
    return [*sides, *(f"{side}+{name}" for name in learners for side in sides)]


def fit_pages(
    side: str,
    rows: FrameRows,
    fps: np.ndarray,
    place: np.ndarray,
    weight: np.ndarray,
    n_cores: int,
    prior: FrameCurve | None = None,
) -> FittedPages:
    """Fit a curve and the effects of pages in turns.

    Args:
        side: ``WORK`` or ``MEAN``.
        place: number of each row's page, from 0 on.
        prior: a curve of another machine.
    """
    pages, first, place = np.unique(place, return_index=True, return_inverse=True)
    effect, noise, spread = np.zeros(len(pages)), _FIRST_NOISE, _FIRST_SPREAD
    total = np.bincount(place, weight)
    shares = weight / total[place] * total.mean()  # a page counts once, however often it was measured
    curve = FrameCurve(side == WORK, n_cores)
    for _ in range(_ROUNDS):
        curve.fit(rows, fps, effect[place], shares, prior)
        effect, unsure = page_effects(curve, rows, fps, place, weight, np.zeros(len(pages)), spread, noise)
        left = curve.log_frames(rows, effect[place]) - np.log(fps)
        noise = fit_doubt(left, curve.sensitivity(curve.log_rate(rows, effect[place])))
        spread = max(robust_spread(np.hypot(effect, unsure)), LEAST_SPREAD)
    return FittedPages(curve, noise, spread, rows.page[first], effect, 1 / (unsure**2 + spread**2 / 4))


def best_of(off: dict[str, np.ndarray], family: np.ndarray) -> str:
    """Return the contestant that is best: physics, unless a learner is better by more than luck.

    That is the one-standard-error rule (Breiman et al., 1984) on the errors' differences; pages of a
    family are alike.

    Args:
        off: errors of each, of each page, shape (n_pages,).
        family: of each page.
    """
    means = {name: each.mean() for name, each in off.items()}
    physics = min((name for name in off if "+" not in name), key=means.__getitem__)
    best = min(off, key=means.__getitem__)
    gain = off[physics] - off[best]
    _, number = np.unique(family, return_inverse=True)
    luck = np.sqrt(np.sum(np.bincount(number, gain - gain.mean()) ** 2)) / len(gain)
    return best if gain.mean() > luck else physics


def compete(
    names: Sequence[str],
    rows: FrameRows,
    fps: np.ndarray,
    place: np.ndarray,
    families: np.ndarray,
    weight: np.ndarray,
    *,
    n_cores: int,
    n_splits: int,
    seed: int | None,
) -> dict[str, HeldOut]:
    """Return what each contestant says of every row, fitted without the row's family."""
    said = {name: HeldOut(np.empty(len(fps)), np.empty(len(fps))) for name in names}
    folds = GroupKFold(n_splits, shuffle=True, random_state=seed)
    for train, test in folds.split(fps, groups=families):
        there = rows.select(test)
        for side in dict.fromkeys(name.partition("+")[0] for name in names):
            fitted = fit_pages(side, rows.select(train), fps[train], place[train], weight[train], n_cores)
            low, high = fitted.page.min(axis=0), fitted.page.max(axis=0)
            for name in (name for name in names if name.partition("+")[0] == side):
                effect: np.ndarray | float = 0.0
                if learner := name.partition("+")[2]:
                    made = make_learner(learner, seed)
                    fit_learner(made, fitted.page, fitted.effect, fitted.weight)
                    effect = made.predict(np.clip(there.page, low, high))
                said[name].log_fps[test] = fitted.curve.log_frames(there, effect)
                said[name].log_rate[test] = fitted.curve.log_rate(there, effect)
    return said
