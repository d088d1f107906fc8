"""A predictor of one device, made to fit another from a few measurements there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

_PENALTY = 1.0  # on the slope's distance from 1, and on each feature's weight: the source is believed first
_WORTH = 0.95  # a richer correction must bring the error at least this far down

_Correction = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _offset(log_source: np.ndarray, X: np.ndarray) -> np.ndarray:
    return np.zeros((len(X), 0))


def _slope(log_source: np.ndarray, X: np.ndarray) -> np.ndarray:
    return log_source[:, None]


def _features(log_source: np.ndarray, X: np.ndarray) -> np.ndarray:
    return np.column_stack([log_source, X])


# The simplest first: the other device is so many times slower; by a share that grows with the work;
# by a share that depends on what the work is.
CORRECTIONS: dict[str, _Correction] = {"offset": _offset, "slope": _slope, "features": _features}


class TransferLatency(RegressorMixin, BaseEstimator):
    """Predict another device's latency: the source's, corrected by a few samples of the other.

    Args:
        source: fitted predictor of positive latencies on the first device. ``clone`` would unfit it;
            wrap it in ``sklearn.frozen.FrozenEstimator`` where this estimator is to be cloned.

    Attributes:
        scores_: mean absolute log error of the source alone (``"source"``) and of each correction, each
            sample predicted from the others; of the source alone where there are fewer than three.
        chosen_: name of the correction used.

    Example:
        >>> from predictors import AdditiveLatency
        >>> X = np.array([[1.0, 2], [1, 5], [1, 9], [2, 4], [3, 1], [2, 2]])
        >>> source = AdditiveLatency(residuals=()).fit(X, X @ [3.0, 0.5])
        >>> other = TransferLatency(source).fit(X[:3], 2 * (X[:3] @ [3.0, 0.5]))
        >>> round(float(other.predict([[2.0, 4]])[0]), 2)
        16.0
    """

    def __init__(self, source: RegressorMixin):
        self.source = source

    def fit(self, X: np.ndarray, y: np.ndarray) -> TransferLatency:
        """Fit the correction.

        Args:
            X: features of the samples, as the source knows them, shape (n_samples, n_features).
            y: their latencies on the new device, positive, shape (n_samples,).
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        if np.min(y) <= 0:
            raise ValueError(f"a latency of {np.min(y):g} was given; only positive ones have a logarithm")
        log_source = np.log(self.source.predict(X))
        gap = np.log(y) - log_source
        self._scaler_ = StandardScaler().fit(X)
        scaled = self._scaler_.transform(X)
        designs = {name: make(log_source, scaled) for name, make in CORRECTIONS.items()}
        self.scores_ = {"source": float(np.mean(np.abs(gap)))}
        self.chosen_ = "offset"
        everything = np.arange(len(y))
        if len(y) > 2:
            for name, design in designs.items():
                off = [
                    gap[i] - _apply(design[[i]], *_solve(design[everything != i], gap[everything != i]))[0]
                    for i in everything
                ]
                self.scores_[name] = float(np.mean(np.abs(off)))
                if self.scores_[name] < _WORTH * self.scores_[self.chosen_]:
                    self.chosen_ = name
        self._solution_ = _solve(designs[self.chosen_], gap)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return latencies on the new device, shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        source = self.source.predict(X)
        design = CORRECTIONS[self.chosen_](np.log(source), self._scaler_.transform(X))
        latency: np.ndarray = source * np.exp(_apply(design, *self._solution_))
        return latency


def _solve(design: np.ndarray, gap: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return offset, weights and centre of a ridge whose offset is the median: one bad sample is not felt."""
    centre = design.mean(axis=0)
    centred = design - centre
    weights = np.linalg.solve(
        centred.T @ centred + _PENALTY * np.eye(design.shape[1]), centred.T @ (gap - np.median(gap))
    )
    return float(np.median(gap - centred @ weights)), weights, centre


def _apply(design: np.ndarray, offset: float, weights: np.ndarray, centre: np.ndarray) -> np.ndarray:
    corrected: np.ndarray = offset + (design - centre) @ weights
    return corrected
