"""How a row of what is known of a page and a core is laid out, and read by name."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

BEFORE_WORK = 3  # columns: capacity, refresh rate, core
_LEAST_WORK_MS = 0.01  # a thread that did nothing has a logarithm, too


class FrameRows(NamedTuple):
    """Rows of (page, setting), read by name.

    Attributes:
        capacity: share of the fastest core that the setting's core and clock give, shape (n_samples,).
        refresh_hz: of the display.
        core: number of the kind of core.
        work_ms: CPU time of a displayed frame at full speed by role of the thread, shape (n_samples, n_work).
        features: of the page and the gesture, shape (n_samples, n_features).
    """

    capacity: np.ndarray
    refresh_hz: np.ndarray
    core: np.ndarray
    work_ms: np.ndarray
    features: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, n_work: int) -> FrameRows:
        """Return the columns of X by name.

        Raises:
            ValueError: a capacity, refresh rate, core or work that no machine gives.
        """
        rows = cls(
            X[:, 0],
            X[:, 1],
            X[:, 2],
            X[:, BEFORE_WORK : BEFORE_WORK + n_work],
            X[:, BEFORE_WORK + n_work :],
        )
        if not (np.all((rows.capacity > 0) & (rows.capacity <= 1)) and np.all(rows.refresh_hz > 0)):
            raise ValueError(
                "a capacity lies outside 0 to 1, or a refresh rate is not above 0; correct the row"
            )
        if np.min(rows.core) < 0 or np.any(rows.core != np.rint(rows.core)):
            raise ValueError("the third column numbers kinds of core; give whole numbers from 0 on")
        if rows.work_ms.size and (np.min(rows.work_ms) < 0 or not np.all(rows.work_ms.sum(axis=1) > 0)):
            raise ValueError("Negative values in data: work below 0, or a frame without any; correct the row")
        return rows

    def select(self, places: np.ndarray) -> FrameRows:
        """Return the rows at ``places``, indices or booleans."""
        return FrameRows(*(column[places] for column in self))

    @property
    def page(self) -> np.ndarray:
        """What a learner sees of a page: its features, the logarithm of its work, and who does how much."""
        if not self.work_ms.shape[1]:
            return self.features
        floored = np.maximum(self.work_ms, _LEAST_WORK_MS)
        total = floored.sum(axis=1, keepdims=True)
        return np.column_stack([self.features, np.log(total), np.log(floored / total)])
