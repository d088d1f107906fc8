"""Choose among regressors by cross-validation that never sees a group on both sides."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from sklearn.base import RegressorMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold


def mape_pct(y: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean absolute percentage error of ``predicted`` against positive ``y``."""
    return float(100.0 * np.mean(np.abs(predicted - y) / y))


def held_out_predictions(
    candidates: Mapping[str, RegressorMixin],
    X: np.ndarray,
    log_y: np.ndarray,
    groups: np.ndarray,
    n_splits: int,
    random_state: int | None,
) -> dict[str, np.ndarray]:
    """Return each candidate's prediction of every row by a fit that has not seen the row's group.

    Args:
        candidates: unfitted regressors of log latency.
        X: shape (n_samples, n_features).
        log_y: natural logarithm of the latency, shape (n_samples,).
        groups: what must stay together, shape (n_samples,).
        n_splits: number of folds, at most the number of groups.

    Returns:
        Log latencies by name, each of shape (n_samples,).
    """
    folds = GroupKFold(n_splits=n_splits, shuffle=True, random_state=random_state)
    held_out = {name: np.empty_like(log_y) for name in candidates}
    for train, test in folds.split(X, log_y, groups):
        for name, candidate in candidates.items():
            held_out[name][test] = fit_quietly(clone(candidate), X[train], log_y[train]).predict(X[test])
    return held_out


def fit_quietly(
    regressor: RegressorMixin, X: np.ndarray, log_y: np.ndarray, **given: np.ndarray
) -> RegressorMixin:
    """Fit and return ``regressor``; one that stops early is judged by its error, not by a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return regressor.fit(X, log_y, **given)
