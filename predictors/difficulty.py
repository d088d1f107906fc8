"""How far off a prediction is likely to be, learnt from residuals held out in cross-validation.

The g(x) of a normalised nonconformity |y - h(x)| / (g(x) + beta): Papadopoulos, Gammerman, Vovk,
"Normalized nonconformity measures for regression conformal prediction" (2008).
"""

from __future__ import annotations

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import GroupKFold

from predictors.conformal import conformal_quantile, group_scores

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


def mean_widths(
    X: np.ndarray,
    residuals: np.ndarray,
    groups: np.ndarray,
    alpha: float,
    n_splits: int,
    random_state: int | None,
) -> dict[str, float]:
    """Return the mean width on the log scale of both kinds of interval, each as wide as it must be.

    Both cover a share 1 - alpha of the groups; the difficulty of a group is learnt from the others.

    Args:
        X: shape (n_samples, n_features).
        residuals: of rows that the regressor was not fitted to, shape (n_samples,).
        groups: what must stay together, at least ``groups_needed(alpha)`` of them, shape (n_samples,).
        n_splits: folds in which the difficulty is learnt.

    Returns:
        The width of ``"split"`` and of ``"normalised"`` intervals.
    """
    difficulty = np.empty_like(residuals)
    for train, test in GroupKFold(n_splits, shuffle=True, random_state=random_state).split(X, groups=groups):
        forest = fit_difficulty(X[train], residuals[train], random_state)
        difficulty[test] = forest.predict(X[test]) + beta_of(residuals[train])
    measures = {"split": np.ones_like(residuals), "normalised": difficulty}
    return {
        name: 2
        * float(np.mean(measure) * conformal_quantile(group_scores(residuals / measure, groups), alpha))
        for name, measure in measures.items()
    }
