"""Power of a cluster's rail under real programs: clock, voltage, temperature, and what the cores do."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

COLUMNS = ("freq_ghz", "volt", "temp_c", "utilisation")
_ROUNDS = 15
_LEAST_RESIDUAL = 1e-2  # of the power


class RailPower(RegressorMixin, BaseEstimator):
    """Predict the power of a rail from what its cores do.

    A sum of physical terms: C f V^2 times the share of time that is busy and its square, leakage
    (V and V T), and the clock tree (f V^2). With instructions per cycle the busy term also grows with
    IPC and its root: a core that stalls switches less, and the first instructions of a cycle cost
    more than the last. Fitted to the least absolute relative error.

    Args:
        ipc: whether X has a fifth column, instructions per cycle.

    Attributes:
        coef_: of each term.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform((0.5, 0.8, 40, 0.1), (2, 1.2, 70, 1), (50, 4))
        >>> y = 300 * X[:, 0] * X[:, 1] ** 2 * X[:, 3] + 50 * X[:, 1]
        >>> bool(np.allclose(RailPower(ipc=False).fit(X, y).predict(X), y, rtol=1e-3))
        True
    """

    def __init__(self, ipc: bool = True):
        self.ipc = ipc

    def fit(self, X: np.ndarray, y: np.ndarray) -> RailPower:
        """Fit to samples of a rail.

        Args:
            X: clock in GHz, supply in V, temperature in C, share of time busy, and IPC if ``ipc``,
                shape (n_samples, 4 or 5).
            y: power in mW, positive, shape (n_samples,).

        Raises:
            ValueError: wrong number of columns, fewer rows than terms, or a power that cannot be.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        wanted = len(COLUMNS) + bool(self.ipc)
        if X.shape[1] != wanted:
            names = ", ".join((*COLUMNS, "ipc")[:wanted])
            raise ValueError(f"X has {X.shape[1]} columns; {wanted} are needed: {names}")
        if not np.all(y > 0):
            raise ValueError(f"a power of {np.min(y):g} mW was given; a rail takes more: leave the row out")
        design = self._design(X)
        if len(y) < design.shape[1]:
            raise ValueError(f"{len(y)} samples for {design.shape[1]} terms; measure at least that many")
        scale = np.abs(design).max(axis=0)
        scale[scale == 0] = 1.0
        weights = 1 / y
        for _ in range(_ROUNDS):
            solved, *_ = np.linalg.lstsq(design / scale * weights[:, None], y * weights, rcond=None)
            off = np.abs(design / scale @ solved / y - 1)
            weights = 1 / (y * np.sqrt(np.maximum(off, _LEAST_RESIDUAL)))
        self.coef_ = solved / scale
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return power in mW, shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        power: np.ndarray = self._design(X) @ self.coef_
        return power

    def _design(self, X: np.ndarray) -> np.ndarray:
        freq_ghz, volt, temp_c, utilisation = X[:, :4].T
        switching = freq_ghz * volt**2
        busy = switching * utilisation
        terms = [busy, busy * utilisation, volt, volt * temp_c, switching, np.ones_like(volt)]
        if self.ipc:
            ipc = np.maximum(X[:, 4], 0.0)
            terms += [busy * ipc, busy * np.sqrt(ipc)]
        return np.stack(terms, axis=1)
