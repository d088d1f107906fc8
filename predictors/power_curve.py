"""Power of a busy core over its clock: the physical curves, and how one is fitted.

Dynamic power is C f V^2 (Documentation/power/energy-model.rst of the Linux kernel); what does not
switch leaks. Where nobody published the voltage it is known to rise with the clock, so a sum of
powers of the clock with coefficients that cannot be negative stands for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Design = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _switching(freq_ghz: np.ndarray, volt: np.ndarray) -> np.ndarray:
    return np.stack([np.ones_like(freq_ghz), freq_ghz * volt**2], axis=1)


def _switching_leakage(freq_ghz: np.ndarray, volt: np.ndarray) -> np.ndarray:
    return np.stack([np.ones_like(freq_ghz), volt, freq_ghz * volt**2], axis=1)


def _polynomial(freq_ghz: np.ndarray, volt: np.ndarray) -> np.ndarray:
    return np.stack([freq_ghz**power for power in range(4)], axis=1)


# The simplest first: the first of each kind is the one for tables of a few rows.
WITH_VOLTAGE: dict[str, Design] = {"switching": _switching, "switching_leakage": _switching_leakage}
VOLTAGE_FREE: dict[str, Design] = {"polynomial": _polynomial}


def krige(x: np.ndarray, residual: np.ndarray, at: np.ndarray, length: float, noise: float) -> np.ndarray:
    """Return the smooth part of ``residual`` at ``at`` (simple kriging, Gaussian covariance).

    Args:
        x: where the residuals are, shape (n,).
        length: distance over which they are alike, in units of ``x``.
        noise: variance that is not smooth, as a share of the one that is.
    """

    def covariance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        alike: np.ndarray = np.exp(-0.5 * ((a[:, None] - b[None, :]) / length) ** 2)
        return alike

    inner = covariance(x, x) + noise * np.eye(len(x))
    return np.asarray(covariance(at, x) @ np.linalg.solve(inner, residual))
