"""A predictor of one device, made to fit another from a few measurements of it."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from predictors.candidates import make_candidates
from predictors.conformal import conformal_quantile, groups_needed
from predictors.hull import bounding_box, outside_box
from predictors.median_ridge import MedianRidge

_WORTH = 0.95  # a richer correction must bring the error at least this far down
_LEARNT = ("quadratic", "svr")


def _make_corrections() -> dict[str, RegressorMixin]:
    """Return unfitted regressors of log(latency / source's) over the source's log latency and X.

    The simplest first: the other device is so many times slower; by a share that grows with the work; by a
    share that depends on what the work is, in ways that need more and more samples to be seen.
    """
    linear = {"offset": MedianRidge(columns=0), "slope": MedianRidge(columns=1), "features": MedianRidge()}
    return linear | make_candidates(_LEARNT, random_state=None)


class TransferLatency(RegressorMixin, BaseEstimator):
    """Predict another device's latency: the source's, corrected by a few samples of the other.

    Args:
        source: fitted predictor of positive latencies on the first device, one that answers beyond its
            range, too (``on_extrapolate="warn"``): the samples judge what it says there. ``clone`` would
            unfit it; wrap it in ``sklearn.frozen.FrozenEstimator`` where this estimator is to be cloned.
        alpha: share of cases that may fall outside the interval.

    Attributes:
        half_width_: of the interval, on the log scale: the conformal quantile of the samples' errors, each
            predicted from the others (the jackknife of https://arxiv.org/abs/1905.02928); infinite where
            the samples are too few for ``alpha``.
        scores_: mean absolute log error of the source alone (``"source"``) and of each correction, each
            sample predicted from the others; of the source alone where there are fewer than three.
        chosen_: name of the correction used.

    Example:
        >>> from predictors import AdditiveLatency
        >>> X = np.array([[1.0, 2], [1, 5], [1, 9], [2, 4], [3, 1], [2, 2]])
        >>> source = AdditiveLatency(residuals=()).fit(X, X @ [3.0, 0.5])
        >>> other = TransferLatency(source).fit(X[:3], 2 * (X[:3] @ [3.0, 0.5]))
        >>> round(float(other.predict([[2.0, 4]])[0]), 2)
        16.0
    """

    def __init__(self, source: RegressorMixin, alpha: float = 0.1):
        self.source = source
        self.alpha = alpha

    def fit(self, X: np.ndarray, y: np.ndarray, pool: np.ndarray | None = None) -> TransferLatency:
        """Fit the correction.

        Args:
            X: features of the samples, as the source knows them, shape (n_samples, n_features).
            y: their latencies on the new device, positive, shape (n_samples,).
            pool: features of what the samples were chosen from, shape (n_pool, n_features): what lies in
                its range counts as known; by default the samples' own.

        Raises:
            ValueError: a latency or parameter out of range.
        """
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha is {self.alpha}; it must lie between 0 and 1")
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        if np.min(y) <= 0:
            raise ValueError(f"a latency of {np.min(y):g} was given; only positive ones have a logarithm")
        log_source = np.log(self._ask_source(X))
        gap = np.log(y) - log_source
        self._scaler_ = StandardScaler().fit(X)
        scaled = self._scaler_.transform(X)
        design = np.column_stack([log_source, scaled])
        self.scores_ = {"source": float(np.mean(np.abs(gap)))}
        self.chosen_ = "offset"
        errors = np.full(len(y), np.inf)
        if len(y) > 2:
            for name, correction in _make_corrections().items():
                off = np.abs(cross_val_predict(correction, design, gap, cv=LeaveOneOut()) - gap)
                self.scores_[name] = float(np.mean(off))
                if name == self.chosen_ or self.scores_[name] < _WORTH * self.scores_[self.chosen_]:
                    self.chosen_, errors = name, off
        self.correction_ = _make_corrections()[self.chosen_].fit(design, gap)
        enough = len(y) >= groups_needed(self.alpha)
        self.half_width_ = conformal_quantile(errors, self.alpha) if enough else np.inf
        known = X if pool is None else check_array(pool, dtype=np.float64)
        self.hull_low_, self.hull_high_ = bounding_box(np.vstack([X, known]))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return latencies on the new device, shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        log_source = np.log(self._ask_source(X))
        design = np.column_stack([log_source, self._scaler_.transform(X)])
        latency: np.ndarray = np.exp(log_source + self.correction_.predict(design))
        return latency

    def predict_interval(self, X: np.ndarray) -> np.ndarray:
        """Return lower and upper bounds of the latency, shape (n_samples, 2).

        Raises:
            ValueError: it was fitted to too few samples for ``alpha``.
        """
        latency = self.predict(X)
        if not np.isfinite(self.half_width_):
            raise ValueError(
                f"too few samples bound a share of {self.alpha:g}; "
                f"measure at least {groups_needed(self.alpha)} on the new device, or raise alpha"
            )
        factor = np.exp(self.half_width_)
        return np.stack([latency / factor, latency * factor], axis=1)

    def is_inside(self, X: np.ndarray) -> np.ndarray:
        """Return which rows lie in the range the samples were chosen from, shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        inside: np.ndarray = np.logical_not(outside_box(X, self.hull_low_, self.hull_high_).any(axis=1))
        return inside

    def _ask_source(self, X: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "extrapolating", UserWarning)  # the samples judge it
            return np.asarray(self.source.predict(X))

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags
