"""The box of feature values seen in training: outside it an estimate is a guess."""

from __future__ import annotations

import numpy as np

# Rounding when a feature is computed twice must not count as leaving the box.
_ROUNDING = 1e-9


def bounding_box(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the largest value of each feature, each of shape (n_features,)."""
    return X.min(axis=0), X.max(axis=0)


def outside_box(X: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return which values leave the box, booleans of shape (n_samples, n_features)."""
    slack = _ROUNDING * (1.0 + np.maximum(np.abs(low), np.abs(high)))
    outside: np.ndarray = (low - slack > X) | (high + slack < X)
    return outside


def describe_first(X: np.ndarray, outside: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
    """Return words for the first value outside the box."""
    row, column = np.argwhere(outside)[0]
    seen = f"{low[column]:g} to {high[column]:g}"
    return f"feature {column} of row {row} is {X[row, column]:g}, training saw {seen}"
