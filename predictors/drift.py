"""When misses of an interval are too many for luck: the device has changed, and since when."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted


class DriftWatch:
    """What an estimator that watches a fitted ``predictor`` for drift begins with."""

    predictor: Any
    window: int
    false_alarm: float
    min_update: int
    recent_: list[Any]

    def is_inside(self, X: np.ndarray) -> np.ndarray:
        """Return which rows the predictor was made for, booleans of shape (n_samples,)."""
        return self.predictor.is_inside(X)

    def _start(self) -> None:
        check_is_fitted(self.predictor)
        if not hasattr(self, "offset_"):
            if self.window < self.min_update or self.min_update < 1 or not 0 < self.false_alarm < 1:
                given = f"window {self.window}, min_update {self.min_update}, false_alarm {self.false_alarm}"
                raise ValueError(f"{given}; allowed: window >= min_update >= 1, false_alarm between 0 and 1")
            self.offset_, self.scale_, self.drifts_ = 0.0, 1.0, 0
            self.recent_ = []


def drift_begin(missed: np.ndarray, alpha: float, false_alarm: float, fewest: int) -> int | None:
    """Return the case at which the misses began, if chance explains them less often than ``false_alarm``.

    Args:
        missed: whether each case, in order, fell out of an interval that misses a share ``alpha``.
        fewest: cases since then that a correction needs.
    """
    if not missed.any():
        return None
    begun = int(np.argmax(missed))
    cases, misses = len(missed), int(missed.sum())
    if cases - begun < fewest or _tail(misses, cases, alpha) >= false_alarm:
        return None
    return begun


def width_needed(scores: np.ndarray, alpha: float) -> float:
    """Return the factor by which intervals must grow to hold a share 1 - alpha of ``scores``; at least 1.

    Args:
        scores: distances from the prediction, in half widths of its interval.
    """
    rank = min(len(scores), math.ceil((len(scores) + 1) * (1 - alpha)))
    return max(1.0, float(np.sort(scores)[rank - 1]))


def _tail(misses: int, cases: int, alpha: float) -> float:
    """Return the chance of at least ``misses`` misses among ``cases`` where each has chance ``alpha``."""
    return sum(math.comb(cases, k) * alpha**k * (1 - alpha) ** (cases - k) for k in range(misses, cases + 1))
