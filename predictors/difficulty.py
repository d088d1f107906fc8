"""How far off a prediction is likely to be, learnt from residuals held out in cross-validation.

The g(x) of a normalised nonconformity |y - h(x)| / (g(x) + beta): Papadopoulos, Gammerman, Vovk,
"Normalized nonconformity measures for regression conformal prediction" (2008).
"""

from __future__ import annotations

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.ensemble import RandomForestRegressor

_MIN_LEAF = 5  # a mean of fewer residuals is noise itself
_BETA_SHARE = 0.25  # of the mean residual: keeps a lucky corner from an interval of no width


def fit_difficulty(X: np.ndarray, residuals: np.ndarray, random_state: int | None) -> RegressorMixin:
    """Return a forest that predicts the size of a residual.

    Args:
        X: shape (n_samples, n_features).
        residuals: of rows that the regressor was not fitted to, shape (n_samples,).
    """
    leaf = min(_MIN_LEAF, max(1, len(residuals) // 4))
    forest = RandomForestRegressor(n_estimators=50, min_samples_leaf=leaf, random_state=random_state)
    return forest.fit(X, np.abs(residuals))


def beta_of(residuals: np.ndarray) -> float:
    """Return the constant added to every difficulty; positive."""
    return max(_BETA_SHARE * float(np.mean(np.abs(residuals))), 1e-9)
