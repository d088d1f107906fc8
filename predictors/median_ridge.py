"""A linear correction that believes few samples no more than they deserve."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class MedianRidge(RegressorMixin, BaseEstimator):
    """Ridge regression whose offset is a median: one bad sample is not felt.

    Args:
        penalty: on the squared weight of each column.
        columns: how many of X it looks at, from the first on; ``None`` for all, 0 for the offset alone.

    Example:
        >>> MedianRidge(columns=0).fit([[1.0], [2.0], [9.0]], [5.0, 5.0, 80.0]).predict([[4.0]]).tolist()
        [5.0]
    """

    def __init__(self, penalty: float = 1.0, columns: int | None = None):
        self.penalty = penalty
        self.columns = columns

    def fit(self, X: np.ndarray, y: np.ndarray) -> MedianRidge:
        """Fit to X, shape (n_samples, n_features), and y, shape (n_samples,)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        X = X[:, : self.columns]
        self.centre_ = X.mean(axis=0)
        centred = X - self.centre_
        self.coef_ = np.linalg.solve(
            centred.T @ centred + self.penalty * np.eye(X.shape[1]), centred.T @ (y - np.median(y))
        )
        self.offset_ = float(np.median(y - centred @ self.coef_))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return predictions, shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)[:, : self.columns]
        predicted: np.ndarray = self.offset_ + (X - self.centre_) @ self.coef_
        return predicted
