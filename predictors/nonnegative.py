"""Sums of costs that cannot be negative, fitted so that outliers do not matter."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

_ROUNDS = 20


def fit_nonnegative(design: np.ndarray, target: np.ndarray, least_residual: float = 1e-3) -> np.ndarray:
    """Return coefficients >= 0 of least absolute relative error, shape (n_columns,).

    Relative, so that small targets count as much as large ones; absolute (by reweighting), so that
    one wrong row does not bend the curve; not negative, because no cost is.

    Args:
        design: shape (n_samples, n_columns).
        target: positive, shape (n_samples,).
        least_residual: share of the target below which rows count alike.
    """
    weights = 1 / target
    coefficients = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        before = coefficients
        coefficients, _ = nnls(design * weights[:, None], target * weights)
        if np.allclose(coefficients, before, rtol=1e-6):
            break
        off = np.abs(design @ coefficients / target - 1)
        weights = 1 / (target * np.sqrt(np.maximum(off, least_residual)))
    return coefficients
