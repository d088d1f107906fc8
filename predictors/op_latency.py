"""What single ops of a network take, each kind learnt apart; a network takes about their sum.

nn-Meter (https://doi.org/10.1145/3458864.3467882) predicts kernels this way, because a few networks
hold thousands of ops: enough to learn what a whole network's totals do not show.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from predictors.candidates import make_candidates
from predictors.selection import fit_quietly, held_out_predictions

_FEW = 20  # rows of a kind: fewer teach a regressor nothing but themselves


class OpLatency(RegressorMixin, BaseEstimator):
    """Predict latencies of ops by a regressor of log latency for each kind.

    Args:
        candidates: names of the regressors that compete, for each kind anew; one alone does not.
        least: latencies below count as this much: profilers round them to zero.
        n_splits: folds of the cross-validation that chooses.
        random_state: seed of the folds and the candidates.

    Attributes:
        chosen_: name of the regressor of each kind; ``"median"`` where there are few ops of it.

    Example:
        >>> X = np.column_stack([np.zeros(40), np.linspace(1, 5, 40)])
        >>> ops = OpLatency(("linear",)).fit(X, np.exp(X[:, 1]))
        >>> bool(abs(ops.predict([[0, 2.0]])[0] / np.exp(2.0) - 1) < 0.01)
        True
    """

    def __init__(
        self,
        candidates: Sequence[str] = ("svr", "gradient_boosting"),
        least: float = 5e-4,
        n_splits: int = 5,
        random_state: int | None = 0,
    ):
        self.candidates = candidates
        self.least = least
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> OpLatency:
        """Choose and fit a regressor for each kind.

        Args:
            X: a whole number for the kind, then features of the op, shape (n_ops, 1 + n_features).
            y: latencies, not negative, shape (n_ops,).
            groups: the network of each op, kept together in cross-validation, shape (n_ops,).

        Raises:
            ValueError: a negative latency, or no feature beside the kind.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_features=2)
        if np.min(y) < 0:
            raise ValueError(f"a latency of {np.min(y):g} was given; an op takes no less than 0")
        if self.least <= 0:
            raise ValueError(f"least is {self.least:g}; it must be positive")
        log_y = np.log(np.maximum(y, self.least))
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        self.median_ = float(np.median(log_y))
        self.chosen_: dict[int, str] = {}
        self.regressors_: dict[int, RegressorMixin] = {}
        self.medians_: dict[int, float] = {}
        for kind in map(int, np.unique(X[:, 0])):
            rows = X[:, 0] == kind
            self.medians_[kind] = float(np.median(log_y[rows]))
            self.chosen_[kind] = "median"
            if rows.sum() >= _FEW:
                self._fit_kind(kind, X[rows, 1:], log_y[rows], groups[rows])
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return latencies, shape (n_ops,); of a kind never seen, the median of all ops."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        log_latency = np.full(len(X), self.median_)
        for kind in map(int, np.unique(X[:, 0])):
            rows = X[:, 0] == kind
            if kind in self.regressors_:
                log_latency[rows] = self.regressors_[kind].predict(X[rows, 1:])
            elif kind in self.medians_:
                log_latency[rows] = self.medians_[kind]
        latency: np.ndarray = np.exp(log_latency)
        return latency

    def _fit_kind(self, kind: int, X: np.ndarray, log_y: np.ndarray, groups: np.ndarray) -> None:
        candidates = make_candidates(self.candidates, self.random_state)
        best = next(iter(candidates))
        n_splits = min(self.n_splits, len(np.unique(groups)))
        if len(candidates) > 1 and n_splits > 1:
            held_out = held_out_predictions(candidates, X, log_y, groups, n_splits, self.random_state)
            with np.errstate(over="ignore"):
                # What counts is the sum over a network: expensive ops weigh more.
                off = {n: float(np.abs(np.exp(p) - np.exp(log_y)).sum()) for n, p in held_out.items()}
            best = min(off, key=off.__getitem__)
        self.chosen_[kind] = best
        self.regressors_[kind] = fit_quietly(candidates[best], X, log_y)

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = True  # on data whose first column is no kind
        return tags
