"""The range of pages and settings that were seen: outside it a frame rate is a guess."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator

from predictors.frames.rows import FrameRows
from predictors.hull import bounding_box, outside_box

_REACH = 0.2  # of a feature's range, beyond it: an unseen page is often the largest by a little
_LEAST_REACH = 0.35  # logarithm, half an octave: about as much as the one value that was seen
_WORK_REACH = 0.4  # logarithm: physics says what half as much work again does
_SETTING = 2  # columns of a setting before those of a page


class FrameRange(BaseEstimator):
    """Says which rows lie within what was seen of the setting, and of the columns that count of the page.

    Attributes:
        n_features_: columns of features; behind them a page has those of its work.
        columns_: of ``FrameRows.page``, those that count.
        low_, high_: of capacity, refresh rate and those columns.
        page_low_, page_high_: of all columns of the page.
        cores_: kinds of core that were seen.
    """

    def fit(self, rows: FrameRows, columns: Sequence[int]) -> FrameRange:
        """Take the range of ``rows``; ``columns`` of the page count."""
        self.columns_ = np.array(sorted(set(columns)), dtype=int)
        page, self.n_features_ = rows.page, rows.features.shape[1]
        low, high = bounding_box(page)
        reach = np.maximum(_REACH * (high - low), _LEAST_REACH)
        reach[self.n_features_ :] = np.maximum(reach[self.n_features_ :], _WORK_REACH)
        self.page_low_, self.page_high_ = low - reach, high + reach
        return self.take_settings(rows)

    def take_settings(self, rows: FrameRows) -> FrameRange:
        """Take the range of settings anew, of another machine's rows; that of pages stays."""
        low, high = bounding_box(np.column_stack([rows.capacity, rows.refresh_hz]))
        low[1] = 0.0  # a page or display that shows fewer frames is the same curve, cut off lower
        self.low_ = np.concatenate([low, self.page_low_[self.columns_]])
        self.high_ = np.concatenate([high, self.page_high_[self.columns_]])
        self.cores_ = np.unique(rows.core).astype(int)
        return self

    def is_inside(self, rows: FrameRows) -> np.ndarray:
        """Return which rows lie inside, booleans of shape (n_samples,)."""
        inside: np.ndarray = ~self._outside(rows).any(axis=1) & np.isin(rows.core, self.cores_)
        return inside

    def clip(self, page: np.ndarray) -> np.ndarray:
        """Return columns of pages with values of no page moved to the nearest of one."""
        return np.clip(page, self.page_low_, self.page_high_)

    def middle(self, n_work: int) -> np.ndarray:
        """Return a row of ``FrameRate`` in the middle of what was seen, with so many columns of work."""
        page = (self.page_low_ + self.page_high_) / 2
        capacity, refresh_hz = (self.low_[0] + self.high_[0]) / 2, self.high_[1]
        work_ms = np.full(n_work, np.exp(page[self.n_features_]) / n_work) if n_work else ()
        setting = [capacity, refresh_hz, float(self.cores_[0])]
        return np.concatenate([setting, work_ms, page[: self.n_features_]])

    def describe(self, rows: FrameRows, names: Sequence[str]) -> str:
        """Return words for the first value that lies outside.

        Args:
            names: of the features; what comes behind them is the work.
        """
        unknown = ~np.isin(rows.core, self.cores_)
        outside = self._outside(rows)
        if unknown.any():
            kind = rows.core[unknown][0]
            return f"core is {kind:g}, training saw {', '.join(map(str, self.cores_.tolist()))}"
        row, place = np.argwhere(outside)[0]
        value, label = self._looked_at(rows)[row, place], self._label(int(place), names)
        return f"{label} is {value:.4g}, training saw {self.low_[place]:.4g} to {self.high_[place]:.4g}"

    def _label(self, place: int, names: Sequence[str]) -> str:
        if place < _SETTING:
            return ("capacity", "refresh rate")[place]
        column = int(self.columns_[place - _SETTING])
        if column < self.n_features_:
            return names[column] if column < len(names) else f"feature {column}"
        is_total = column == self.n_features_
        return "log work of a frame" if is_total else "log share of a role in the work"

    def _looked_at(self, rows: FrameRows) -> np.ndarray:
        return np.column_stack([rows.capacity, rows.refresh_hz, rows.page[:, self.columns_]])

    def _outside(self, rows: FrameRows) -> np.ndarray:
        return outside_box(self._looked_at(rows), self.low_, self.high_)
