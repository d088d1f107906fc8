"""What predicts frame rates of one kind of gesture: of pages that never ran, and of pages that ran once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from runtime.extras import require
from runtime.web.learning.table import GESTURE_FEATURES, ROLES, GestureTable

if TYPE_CHECKING:
    from predictors import FrameRate, FrameWork, OnlineFrames

UNRUN, RUN = "unrun", "run"  # by features alone; by features and one run at full speed
WAYS = (UNRUN, RUN)
TRUTH_RUNS = 5  # a median of as many is a truth to judge by; single runs are good enough to learn from


@dataclass(frozen=True)
class WayModel:
    """A predictor of frame rates, and what turns a page into its rows.

    Attributes:
        way: ``UNRUN`` or ``RUN``.
        rate: the predictor, or one that watches governed gestures.
        work: predicts the work of pages that never ran; ``None``: the work is measured, or unknown.
        fills: stand for features that nobody read, shape (n_features,): medians of the pages learnt from.
        names: of the features.
        clusters: in the order of their numbers.
    """

    way: str
    rate: FrameRate | OnlineFrames
    work: FrameWork | None
    fills: np.ndarray
    names: tuple[str, ...]
    clusters: tuple[str, ...]

    @property
    def frames(self) -> FrameRate:
        """The predictor that was fitted, whoever watches it."""
        inner: FrameRate | None = getattr(self.rate, "predictor", None)
        return cast("FrameRate", self.rate) if inner is None else inner

    def inputs(self, settings: np.ndarray, work_ms: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Return rows for ``rate``, shape (n_rows, n_columns).

        Args:
            settings: capacity, refresh rate (of ``RUN`` ``most_fps``) and core, shape (n_rows, 3).
            work_ms: measured at full speed, shape (n_rows, n_roles); not looked at if the page never ran.
            features: shape (n_rows, n_features); NaN where unknown. One row of these is taken for all.
        """
        parts = [_filled(features, self.fills)]
        if self.way == RUN:
            parts.insert(0, work_ms)
        elif self.work is not None:
            parts.insert(0, self.work.predict(parts[0]))
        page = np.column_stack(parts)
        return np.column_stack([settings, np.broadcast_to(page, (len(settings), page.shape[1]))])

    def of_table(self, table: GestureTable) -> np.ndarray:
        """Return the rows of a table for ``rate``."""
        return self.inputs(table.settings(with_most=self.way == RUN), table.work_ms, table.features)


def fit_way(
    way: str,
    table: GestureTable,
    *,
    learners: Sequence[str] | None = None,
    alpha: float = 0.1,
    seed: int = 0,
) -> WayModel:
    """Fit what predicts one way; for ``RUN`` the table must have the work of every row.

    Args:
        learners: candidates; ``None`` for all.
        alpha: share of pages that may fall outside the interval.

    Raises:
        ValueError: pages of too few families.
        MissingExtra: scikit-learn is not installed.
    """
    require("sklearn", extra="predict")
    from predictors import FrameRate

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns that nobody read
        fills = np.nan_to_num(np.nanmedian(table.features, axis=0))
    filled = _filled(table.features, fills)
    columns = [table.settings(with_most=way == RUN)]
    work, n_work = None, len(ROLES)
    if way == RUN:
        columns.append(table.work_ms)
    elif len(table.names) > len(GESTURE_FEATURES) and table.has_work.any():
        work, predicted_ms = _fit_work(table, filled, learners, seed)
        columns.append(predicted_ms)
    else:
        n_work = 0
    rate = FrameRate(
        n_work, learners, names=list(table.names), guarded=tuple(range(len(GESTURE_FEATURES))),
        alpha=alpha, random_state=seed,
    )  # fmt: skip
    rate.fit(
        np.column_stack([*columns, filled]), table.fps, table.case, table.family, table.runs,
        truths=table.runs >= TRUTH_RUNS,
    )  # fmt: skip
    return WayModel(way, rate, work, fills, table.names, table.clusters)


@contextmanager
def answering_anywhere(rate: FrameRate) -> Iterator[FrameRate]:
    """Let a predictor answer beyond its range inside the block: what it says there is judged, not used."""
    before = rate.on_extrapolate
    rate.on_extrapolate = "warn"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "extrapolating", UserWarning)
            yield rate
    finally:
        rate.on_extrapolate = before


def _fit_work(
    table: GestureTable, filled: np.ndarray, learners: Sequence[str] | None, seed: int
) -> tuple[FrameWork, np.ndarray]:
    """Return what predicts work, and what it says of every row without the row's family."""
    from predictors import FrameWork

    cases, first = np.unique(np.where(table.has_work, table.case, -1), return_index=True)
    first = first[cases >= 0]
    work = FrameWork(learners, random_state=seed)
    work.fit(filled[first], table.work_ms[first], table.family[first])
    predicted_ms = work.predict(filled)
    of_case = {int(table.case[row]): place for place, row in enumerate(first)}
    for row, case in enumerate(table.case):
        if case in of_case:
            predicted_ms[row] = work.held_out_[of_case[case]]
    return work, predicted_ms


def _filled(features: np.ndarray, fills: np.ndarray) -> np.ndarray:
    filled: np.ndarray = np.where(np.isnan(features), fills, features)
    return filled
