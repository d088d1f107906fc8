"""Latency as a sum of terms, each scaled by factors: how a model of physics is corrected by measurements.

A model says what arithmetic, memory and calls should take; measurements say by how much each of these is
off on one kind of core, at one precision, with one engine. Factors are few and shared by terms, and each is
pulled towards what was believed before (a normal prior), so that a factor of which the rows say little stays
where it was.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted

_EVALUATIONS = 100


class FactoredLatency(BaseEstimator):
    """Predict ``sum over t of terms[t] * exp(sum over f of acts_on[f, t] * coef_[f] * factors[f])``.

    The fit minimises the pseudo-Huber loss of the log error plus the squared distance to the prior, so that
    a row that is wrong by a factor of three bends nothing.

    Args:
        acts_on: which factor scales which term, 0 or 1, shape (n_factors, n_terms).
        prior: coefficients before any row, shape (n_factors,).
        spread: how far they may be off, standard deviations, positive, shape (n_factors,).
        scale: log error from which on a row counts linearly.

    Attributes:
        coef_: shape (n_factors,).

    Example:
        >>> terms, factors = np.array([[1.0, 2], [2, 1], [4, 4]]), np.array([[0.0], [1], [1]])
        >>> model = FactoredLatency([[1, 0]], [0.0], [10.0]).fit(terms, factors, [3.0, 5.0, 12.0])
        >>> model.predict(terms, factors).round(1).tolist()
        [3.0, 5.0, 12.0]
    """

    def __init__(self, acts_on: np.ndarray, prior: np.ndarray, spread: np.ndarray, scale: float = 0.25):
        self.acts_on = acts_on
        self.prior = prior
        self.spread = spread
        self.scale = scale

    def fit(
        self, terms: np.ndarray, factors: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> FactoredLatency:
        """Fit the coefficients.

        Args:
            terms: what each term takes by itself, not negative, shape (n_samples, n_terms).
            factors: shape (n_samples, n_factors).
            y: measured latencies, positive, in the unit of ``terms``, shape (n_samples,).
            sample_weight: positive, shape (n_samples,).

        Raises:
            ValueError: shapes that do not fit together, or a value out of range.
        """
        acts_on, prior, spread = (np.asarray(v, float) for v in (self.acts_on, self.prior, self.spread))
        terms, factors = _checked(terms, factors, acts_on)
        y = np.asarray(y, float)
        if prior.shape != spread.shape or prior.shape != acts_on.shape[:1] or not np.all(spread > 0):
            raise ValueError("prior and spread must have one entry per factor, each spread above 0")
        if y.shape != terms.shape[:1] or not np.all(np.isfinite(y) & (y > 0)):
            raise ValueError(f"y must hold {len(terms)} positive latencies; got shape {y.shape}")
        weight = np.sqrt(np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, float))

        def residuals(coef: np.ndarray) -> np.ndarray:
            off = (np.log(_scaled(terms, factors, acts_on, coef).sum(axis=1)) - np.log(y)) / self.scale
            return np.concatenate([_bent(off) * weight, (coef - prior) / spread])

        def jacobian(coef: np.ndarray) -> np.ndarray:
            parts = _scaled(terms, factors, acts_on, coef)
            total = parts.sum(axis=1)
            off = (np.log(total) - np.log(y)) / self.scale
            slope = _bent_slope(off) * weight / self.scale
            return np.vstack(
                [(parts / total[:, None]) @ acts_on.T * factors * slope[:, None], np.diag(1 / spread)]
            )

        self.coef_ = least_squares(residuals, prior, jac=jacobian, max_nfev=_EVALUATIONS).x
        return self

    def predict(self, terms: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return latencies, shape (n_samples,), in the unit of ``terms``."""
        check_is_fitted(self)
        acts_on = np.asarray(self.acts_on, float)
        terms, factors = _checked(terms, factors, acts_on)
        return _scaled(terms, factors, acts_on, self.coef_).sum(axis=1)


def _scaled(terms: np.ndarray, factors: np.ndarray, acts_on: np.ndarray, coef: np.ndarray) -> np.ndarray:
    return terms * np.exp((factors * coef) @ acts_on)


def _bent(off: np.ndarray) -> np.ndarray:
    """Return what squares to twice the pseudo-Huber loss of ``off``."""
    return np.sign(off) * np.sqrt(2 * (np.sqrt(1 + off**2) - 1))


def _bent_slope(off: np.ndarray) -> np.ndarray:
    bent = _bent(off)
    return np.where(np.abs(off) < 1e-6, 1.0, off / np.sqrt(1 + off**2) / np.where(bent == 0, 1.0, bent))


def _checked(terms: np.ndarray, factors: np.ndarray, acts_on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    terms = check_array(terms, dtype=np.float64, input_name="terms")
    factors = check_array(factors, dtype=np.float64, input_name="factors")
    if acts_on.shape != (factors.shape[1], terms.shape[1]) or len(terms) != len(factors):
        raise ValueError(
            f"terms {terms.shape} and factors {factors.shape} do not fit acts_on {acts_on.shape}; "
            "it must be (factors, terms), and both must have a row per sample"
        )
    if np.min(terms) < 0 or not np.all(terms.sum(axis=1) > 0):
        raise ValueError("a term is negative or all terms of a row are 0; each row must cost something")
    return terms, factors
