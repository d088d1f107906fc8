"""Latency as a sum of costs, and what is learnt beyond it.

The costs come first because they extrapolate: a network with twice the convolutions takes twice as
long, whether or not one was ever seen. A learner of the rest may correct them where cross-validation
says that it does better.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.model_selection import GroupKFold
from sklearn.utils.validation import check_is_fitted, validate_data

from predictors.candidates import make_candidates
from predictors.nonnegative import fit_nonnegative
from predictors.selection import fit_quietly

NO_RESIDUAL = "none"
_LEAST_RESIDUAL = 0.02  # of the latency: closer rows than 2 % count alike
_CAP = 0.5  # in log latency: a row further off is wrong, however far
_TINY = 1e-9


class AdditiveLatency(RegressorMixin, BaseEstimator):
    """Predict latency as ``X[:, costs] @ coef_`` times the exponential of a learnt residual.

    Coefficients are not negative and minimise the absolute relative error. Columns may be counts of
    operations, or times of a roofline whose shares of the peak are to be found.

    Args:
        costs: columns of X that add up to the latency; ``None`` for all. The residual sees every column.
        residuals: names of the candidates that may learn the residual; empty for none.
        least: lower bound of a prediction, in the unit of ``y``.
        n_splits: folds of the cross-validation that chooses.
        random_state: seed of the folds and the candidates.

    Attributes:
        coef_: cost of one unit of each column in ``costs``.
        scores_: median absolute log error of the costs alone (``"none"``) and with each residual.
        chosen_: name of the residual with the least error.

    Example:
        >>> X = np.array([[1.0, 2], [1, 5], [1, 9], [2, 4], [3, 1], [2, 2]])
        >>> AdditiveLatency(residuals=()).fit(X, X @ [3.0, 0.5]).coef_.round(3).tolist()
        [3.0, 0.5]
    """

    def __init__(
        self,
        costs: Sequence[int] | None = None,
        residuals: Sequence[str] = ("linear", "gradient_boosting"),
        least: float = 0.0,
        n_splits: int = 5,
        random_state: int | None = 0,
    ):
        self.costs = costs
        self.residuals = residuals
        self.least = least
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> AdditiveLatency:
        """Fit the costs, then choose and fit what corrects them.

        Args:
            X: features, shape (n_samples, n_features); cost columns must not be negative.
            y: latencies, positive, shape (n_samples,).
            groups: rows that cross-validation keeps together, shape (n_samples,).

        Raises:
            ValueError: a value or parameter out of range, or fewer rows than costs that occur.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        if np.min(y) <= 0:
            raise ValueError(f"a latency of {np.min(y):g} was given; only positive ones can be predicted")
        costs = self._costs(X)
        if np.min(costs) < 0:
            raise ValueError(
                f"Negative values in data: a cost of {np.min(costs):g}; name the columns that are costs"
            )
        occur = int(np.any(costs != 0, axis=0).sum())
        if len(y) < occur:
            raise ValueError(f"{len(y)} samples for {occur} costs; measure at least that many")
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        if groups.shape != y.shape:
            raise ValueError(f"groups has shape {groups.shape}; {y.shape} is needed, one per row")

        self.coef_ = fit_nonnegative(costs, y, _LEAST_RESIDUAL)
        self.scores_ = self._scores(X, y, groups)
        self.chosen_ = min(self.scores_, key=self.scores_.__getitem__)
        # With few rows a better learner cannot be told from a lucky one unless it is much better.
        if self.scores_[self.chosen_] > (1 - max(0.05, 1 / np.sqrt(len(y)))) * self.scores_[NO_RESIDUAL]:
            self.chosen_ = NO_RESIDUAL
        self.residual_ = None
        if self.chosen_ != NO_RESIDUAL:
            learner = make_candidates((self.chosen_,), self.random_state)[self.chosen_]
            self.residual_ = fit_quietly(learner, X, self._residual(X, y, self.coef_))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return latencies, shape (n_samples,), in the unit of ``y``."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        log_latency = self._log_base(X, self.coef_)
        if self.residual_ is not None:
            log_latency = log_latency + np.clip(self.residual_.predict(X), -_CAP, _CAP)
        latency: np.ndarray = np.maximum(np.exp(log_latency), self.least)
        return latency

    def _costs(self, X: np.ndarray) -> np.ndarray:
        return X if self.costs is None else X[:, list(self.costs)]

    def _log_base(self, X: np.ndarray, coef: np.ndarray) -> np.ndarray:
        logs: np.ndarray = np.log(np.maximum(self._costs(X) @ coef, max(self.least, _TINY)))
        return logs

    def _residual(self, X: np.ndarray, y: np.ndarray, coef: np.ndarray) -> np.ndarray:
        return np.clip(np.log(y) - self._log_base(X, coef), -_CAP, _CAP)

    def _scores(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> dict[str, float]:
        n_splits = min(self.n_splits, len(np.unique(groups)))
        learners = make_candidates(self.residuals, self.random_state) if len(self.residuals) else {}
        off: dict[str, list[np.ndarray]] = {name: [] for name in (NO_RESIDUAL, *learners)}
        if not learners or n_splits < 2:
            return {NO_RESIDUAL: float(np.median(np.abs(self._residual(X, y, self.coef_))))}
        folds = GroupKFold(n_splits=n_splits, shuffle=True, random_state=self.random_state)
        for train, test in folds.split(X, y, groups):
            coef = fit_nonnegative(self._costs(X[train]), y[train], _LEAST_RESIDUAL)
            left = np.log(y[test]) - self._log_base(X[test], coef)
            off[NO_RESIDUAL].append(left)
            for name, learner in learners.items():
                fitted = fit_quietly(clone(learner), X[train], self._residual(X[train], y[train], coef))
                off[name].append(left - np.clip(fitted.predict(X[test]), -_CAP, _CAP))
        return {
            name: float(np.mean(np.minimum(np.abs(np.concatenate(each)), _CAP))) for name, each in off.items()
        }

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.input_tags.positive_only = self.costs is None
        return tags
