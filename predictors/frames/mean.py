"""The yardstick: what other pages show at that capacity under that gesture, whatever the page is."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.isotonic import IsotonicRegression
from sklearn.utils.validation import check_is_fitted

_FEWEST = 12  # rows of a gesture: fewer are pooled with those of the other gestures


class MeanFrames(RegressorMixin, BaseEstimator):
    """Predict the mean frame rate of the pages seen at a capacity, rising with it, gesture by gesture.

    Example:
        >>> X = np.array([[0.1, 0], [0.1, 0], [0.5, 0]])
        >>> MeanFrames().fit(X, [10.0, 20.0, 50.0]).predict([[0.1, 0], [0.9, 0]]).tolist()
        [15.0, 50.0]
    """

    def fit(self, X: np.ndarray, y: np.ndarray) -> MeanFrames:
        """Fit to X, columns capacity and number of the gesture, and y, frames per second."""
        X, y = np.asarray(X, np.float64), np.asarray(y, np.float64)
        self.all_ = _rising(X[:, 0], y)
        kinds, counts = np.unique(X[:, 1], return_counts=True)
        self.of_gesture_ = {
            float(kind): _rising(X[X[:, 1] == kind, 0], y[X[:, 1] == kind])
            for kind, count in zip(kinds, counts, strict=True)
            if count >= _FEWEST
        }
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return frames per second, shape (n_samples,)."""
        check_is_fitted(self)
        X = np.asarray(X, np.float64)
        mean: np.ndarray = self.all_.predict(X[:, 0])
        for kind, curve in self.of_gesture_.items():
            rows = X[:, 1] == kind
            if rows.any():
                mean[rows] = curve.predict(X[rows, 0])
        return mean


def _rising(capacity: np.ndarray, fps: np.ndarray) -> IsotonicRegression:
    return IsotonicRegression(out_of_bounds="clip").fit(capacity, fps)
