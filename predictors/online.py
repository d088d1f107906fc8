"""A predictor that watches its own errors, and corrects itself when the device has changed."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_array, column_or_1d

from predictors.drift import DriftWatch, drift_begin, width_needed
from predictors.latency import LatencyPredictor
from predictors.transfer import TransferLatency

_LEAST_WIDTH = 1e-6


class OnlineLatency(DriftWatch, RegressorMixin, BaseEstimator):
    """Predict as ``predictor`` does until what is measured falls out of its intervals too often.

    A conformal interval misses at most a share alpha of cases. Where the misses among the last
    ``window`` cases are so many that chance explains them less often than ``false_alarm``, the device
    has drifted (heat, another governor, another version): predictions are shifted by the median error
    since the misses began, and the interval is widened to what recent cases need.

    Args:
        predictor: fitted, with intervals; ``clone`` would unfit it, see ``TransferLatency``.
        window: how many of the last cases count.
        false_alarm: chance, per case, of taking luck for drift.
        min_update: fewest cases a correction is learnt from.
        trust_pct: an interval that reaches further above the prediction is not trusted.

    Attributes:
        drifts_: how often a drift was found.
        offset_: correction of log latency now.
        scale_: the interval's half width now, over the predictor's own.
        recent_: error and half width, in log latency, of the cases since the last correction.

    Example:
        >>> X = np.log(np.linspace(0.5, 2.5, 40))[:, None]
        >>> predictor = LatencyPredictor(candidates=("linear",)).fit(X, 20 / np.exp(X[:, 0]))
        >>> online = OnlineLatency(predictor).partial_fit(X[:10], 1.5 * 20 / np.exp(X[:10, 0]))
        >>> online.drifts_, round(float(np.exp(online.offset_)), 2)
        (1, 1.5)
    """

    recent_: list[tuple[float, float]]

    def __init__(
        self,
        predictor: LatencyPredictor | TransferLatency,
        window: int = 30,
        false_alarm: float = 0.001,
        min_update: int = 5,
        trust_pct: float = 20.0,
    ):
        self.predictor = predictor
        self.window = window
        self.false_alarm = false_alarm
        self.min_update = min_update
        self.trust_pct = trust_pct

    def partial_fit(self, X: np.ndarray, y: np.ndarray) -> OnlineLatency:
        """Take note of measured cases, in the order they were measured.

        Args:
            X: features, shape (n_samples, n_features), inside the predictor's range.
            y: latencies, positive, shape (n_samples,).

        Raises:
            ValueError: a latency that cannot be, or features outside the range.
        """
        self._start()
        X, y = check_array(X, dtype=np.float64), column_or_1d(y, dtype=np.float64)
        if len(X) != len(y) or not np.all(np.isfinite(y)) or np.min(y) <= 0:
            raise ValueError(f"{len(X)} rows with {len(y)} latencies; each needs one, a positive number")
        errors = np.log(y) - np.log(self.predictor.predict(X))
        for error, width in zip(errors, self._widths(X), strict=True):
            self.recent_ = [*self.recent_, (float(error), float(width))][-self.window :]
            self._look()
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return latencies, shape (n_samples,), with the correction of now."""
        self._start()
        latency: np.ndarray = self.predictor.predict(X) * np.exp(self.offset_)
        return latency

    def predict_interval(self, X: np.ndarray) -> np.ndarray:
        """Return lower and upper bounds, shape (n_samples, 2)."""
        latency = self.predict(X)
        factor = np.exp(self.scale_ * self._widths(X))
        return np.stack([latency / factor, latency * factor], axis=1)

    def is_trusted(self, X: np.ndarray) -> np.ndarray:
        """Return which predictions may be acted on, booleans of shape (n_samples,)."""
        self._start()
        trusted: np.ndarray = 100 * np.expm1(self.scale_ * self._widths(X)) <= self.trust_pct
        return trusted

    def _widths(self, X: np.ndarray) -> np.ndarray:
        low, high = self.predictor.predict_interval(X).T
        return np.maximum(np.log(high / low) / 2, _LEAST_WIDTH)

    def _look(self) -> None:
        errors, widths = map(np.array, zip(*self.recent_, strict=True))
        missed = np.abs(errors - self.offset_) > self.scale_ * widths
        begun = drift_begin(missed, self.predictor.alpha, self.false_alarm, self.min_update)
        if begun is None:
            return
        since, width = errors[begun:], widths[begun:]
        self.offset_ = float(np.median(since))
        self.scale_ = width_needed(np.abs(since - self.offset_) / width, self.predictor.alpha)
        self.drifts_ += 1
        # What led to the correction says nothing about whether it holds.
        self.recent_ = []
