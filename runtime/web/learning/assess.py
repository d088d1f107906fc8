"""How well frame rates of pages are predicted whose whole family was left out, the choice of learner too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from runtime.web.learning.model import WayModel, answering_anywhere, fit_way
from runtime.web.learning.table import GestureTable

SLOW = 0.25  # capacity of the one throttled run that corrects a page
_OUTER_FOLDS = 5


@dataclass(frozen=True)
class HeldOutRows:
    """What is said of rows whose families were left out, shape (n_rows,) each.

    Attributes:
        truth: measured.
        fps, low, high: predicted, and bounds.
        inside: whether the predictor would have answered; what it says outside counts in no figure but
            ``refused``.
        after_run, after_low, after_high: the same after one throttled run of the page; NaN of that run's row.
        mean_fps: the yardstick: the mean of the other pages at that capacity under that gesture.
        case: of each row.
    """

    truth: np.ndarray
    fps: np.ndarray
    low: np.ndarray
    high: np.ndarray
    inside: np.ndarray
    after_run: np.ndarray
    after_low: np.ndarray
    after_high: np.ndarray
    mean_fps: np.ndarray
    case: np.ndarray

    def select(self, rows: np.ndarray) -> HeldOutRows:
        """Return some of the rows, by booleans."""
        return HeldOutRows(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Errors:
    """Errors over rows of pages never seen.

    Attributes:
        rows, cases: how many rows, of how many pages under gestures.
        mape_pct, mae_fps: of predictions.
        mean_mape_pct, mean_mae_fps: of the mean of the other pages at that capacity.
        covered_pct: of a page's rows inside the bounds, mean over pages.
        half_width_pct: median distance from the prediction down to its lower bound, of the bound.
        after_run_mape_pct, after_run_covered_pct: the same after one throttled run of the page; ``None``: no
            page has other rows.
        refused_pct: of rows that are unlike all that was learnt, and get no prediction.
    """

    rows: int
    cases: int
    mape_pct: float
    mae_fps: float
    mean_mape_pct: float
    mean_mae_fps: float
    covered_pct: float
    half_width_pct: float
    after_run_mape_pct: float | None
    after_run_covered_pct: float | None
    refused_pct: float

    @property
    def mae_gain_pct(self) -> float:
        """By how much the mean absolute error is below that of the mean of other pages."""
        return 100.0 * (1.0 - self.mae_fps / self.mean_mae_fps) if self.mean_mae_fps else 0.0


@dataclass(frozen=True)
class Fold:
    """Rows of some families, places in the table, and a model that was fitted to the other rows."""

    train: np.ndarray
    test: np.ndarray
    model: WayModel


def left_out_folds(
    way: str, table: GestureTable, *, learners: Sequence[str] | None = None, alpha: float = 0.1, seed: int = 0
) -> Iterator[Fold]:
    """Yield folds of families, each with a model, its choice of learner included, that has not seen them.

    Args:
        way, learners, alpha: see ``fit_way``.
    """
    from sklearn.model_selection import GroupKFold

    n_splits = min(_OUTER_FOLDS, len(np.unique(table.family)))
    folds = GroupKFold(n_splits, shuffle=True, random_state=seed)
    for train, test in folds.split(table.fps, groups=table.family):
        model = fit_way(way, table.select(train), learners=learners, alpha=alpha, seed=seed)
        yield Fold(train, test, model)


def held_out_rows(table: GestureTable, folds: Iterable[Fold]) -> HeldOutRows:
    """Return what each fold's model says of the rows that it has not seen."""
    from predictors import MeanFrames

    n, fps = len(table.rows), table.fps
    said = {
        name: np.full(n, np.nan)
        for name in ("fps", "low", "high", "after_run", "after_low", "after_high", "mean_fps")
    }
    inside = np.zeros(n, bool)
    by_gesture = np.column_stack([table.settings()[:, 0], table.gesture])
    for fold in folds:
        train, test, model = fold.train, fold.test, fold.model
        there = table.select(test)
        X = model.of_table(there)
        inside[test] = model.rate.is_inside(X)
        with answering_anywhere(model.frames) as rate:
            said["fps"][test] = rate.predict(X)
            said["low"][test], said["high"][test] = rate.predict_interval(X).T
            _after_run(model, there, X, test, said)
        said["mean_fps"][test] = MeanFrames().fit(by_gesture[train], fps[train]).predict(by_gesture[test])
    return HeldOutRows(truth=fps, inside=inside, case=table.case, **said)


def errors_of(held: HeldOutRows) -> Errors:
    """Return the errors over rows that would have been answered."""
    known = held.select(held.inside) if held.inside.any() else held
    after = known.select(np.isfinite(known.after_run))
    is_covered = (known.low <= known.truth) & (known.truth <= known.high)
    has_after = len(after.truth) > 0
    return Errors(
        rows=len(known.truth),
        cases=len(np.unique(known.case)),
        mape_pct=_mape_pct(known.fps, known.truth),
        mae_fps=float(np.abs(known.fps - known.truth).mean()),
        mean_mape_pct=_mape_pct(known.mean_fps, known.truth),
        mean_mae_fps=float(np.abs(known.mean_fps - known.truth).mean()),
        covered_pct=100 * _by_case(is_covered, known.case),
        half_width_pct=100 * float(np.median(known.fps / known.low - 1)),
        after_run_mape_pct=_mape_pct(after.after_run, after.truth) if has_after else None,
        after_run_covered_pct=(
            100 * _by_case((after.after_low <= after.truth) & (after.truth <= after.after_high), after.case)
            if has_after
            else None
        ),
        refused_pct=100 * float(1 - held.inside.mean()),
    )


def _after_run(
    model: WayModel, there: GestureTable, X: np.ndarray, test: np.ndarray, said: dict[str, np.ndarray]
) -> None:
    """Let one throttled run of each page correct what is said of its other rows."""
    fps, apart = there.fps, np.abs(np.log(X[:, 0] / SLOW))
    for case in np.unique(there.case):
        mine = np.flatnonzero(there.case == case)
        run = mine[np.argmin(apart[mine])]
        rest = mine[mine != run]
        if not len(rest):
            continue
        effect = model.frames.observe(X[[run]], fps[[run]])
        said["after_run"][test[rest]] = model.frames.predict(X[rest], effect)
        bounds = model.frames.predict_interval(X[rest], effect)
        said["after_low"][test[rest]], said["after_high"][test[rest]] = bounds.T


def _mape_pct(fps: np.ndarray, truth: np.ndarray) -> float:
    return 100 * float(np.abs(fps / truth - 1).mean())


def _by_case(values: np.ndarray, case: np.ndarray) -> float:
    """Return the mean over cases of the mean of each: a page counts once, however often it was measured."""
    _, place = np.unique(case, return_inverse=True)
    return float((np.bincount(place, values) / np.bincount(place)).mean())
