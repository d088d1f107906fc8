"""What single ops of a network take, each kind learnt apart; a network takes about their sum.

nn-Meter (https://doi.org/10.1145/3458864.3467882) predicts kernels this way. Ours learns a sum of costs
first, which extrapolates, and lets a regressor correct it, which knows where the machine's steps are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils.validation import check_is_fitted, validate_data

from predictors.boosted_trees import BoostedTrees
from predictors.candidates import make_candidates
from predictors.hull import bounding_box, outside_box
from predictors.nonnegative import fit_nonnegative
from predictors.selection import fit_quietly

NO_RESIDUAL, BOOSTED, SMOOTH = "none", "boosted_trees", "smooth_svr"
_BETWEEN = " + "
_FEW = 20  # rows of a kind: fewer teach a regressor nothing but themselves
_TINY = 1e-9


class OpLatency(RegressorMixin, BaseEstimator):
    """Predict latencies of ops: for each kind a sum of costs, times a learnt correction.

    Args:
        n_costs: how many columns after the kind are costs, not negative, that add up to a latency; the
            others are features that the correction sees. Without costs a constant stands for them.
        candidates: what competes to correct the costs, for each kind anew: ``smooth_svr``,
            ``boosted_trees``, and names of ``predictors.candidate_names``; also the mean of all of them.
        least: latencies below count as this much: profilers round them to zero.
        n_splits: folds of the cross-validation that chooses.
        random_state: seed of the folds and the candidates.

    Attributes:
        kinds_: the kinds that it knows.
        chosen_: name of each kind's correction, several with ``+`` between them; ``"none"`` where costs alone
            did better, or rows are few.
        residuals_: each kind's fitted corrections; their mean counts.
        held_out_: latency of every row of the fit by others of its kind, shape (n_ops,).

    Example:
        >>> X = np.column_stack([np.zeros(40), np.linspace(1, 5, 40)])
        >>> ops = OpLatency(candidates=("linear",)).fit(X, np.exp(X[:, 1]))
        >>> bool(abs(ops.predict([[0, 2.0]])[0] / np.exp(2.0) - 1) < 0.01)
        True
    """

    def __init__(
        self,
        n_costs: int = 0,
        candidates: Sequence[str] = (SMOOTH, BOOSTED),
        least: float = 5e-4,
        n_splits: int = 5,
        random_state: int | None = 0,
    ):
        self.n_costs = n_costs
        self.candidates = candidates
        self.least = least
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> OpLatency:
        """Fit the costs of each kind, then choose and fit what corrects them.

        Args:
            X: a whole number for the kind, then costs, then features, shape (n_ops, 1 + n_features).
            y: latencies, not negative, shape (n_ops,).
            groups: the network of each op, kept together in cross-validation, shape (n_ops,).

        Raises:
            ValueError: a negative latency or cost, or no feature beside the kind.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_features=2)
        if np.min(y) < 0:
            raise ValueError(f"a latency of {np.min(y):g} was given; an op takes no less than 0")
        if self.least <= 0:
            raise ValueError(f"least is {self.least:g}; it must be positive")
        if not 0 <= self.n_costs < X.shape[1]:
            raise ValueError(f"n_costs is {self.n_costs}; X has {X.shape[1] - 1} columns beside the kind")
        if self.n_costs and np.min(X[:, 1 : 1 + self.n_costs]) < 0:
            raise ValueError("Negative values in data: a cost below 0; costs add up")
        y = np.maximum(y, self.least)
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        kinds = np.rint(X[:, 0])
        self.kinds_ = [int(kind) for kind in np.unique(kinds)]
        self.chosen_: dict[int, str] = {}
        self.coefs_: dict[int, np.ndarray] = {}
        self.residuals_: dict[int, list[RegressorMixin]] = {}
        self.lows_: dict[int, np.ndarray] = {}
        self.highs_: dict[int, np.ndarray] = {}
        self.held_out_ = np.empty_like(y)
        for kind in self.kinds_:
            rows = kinds == kind
            self.held_out_[rows] = self._fit_kind(kind, X[rows, 1:], y[rows], groups[rows])
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return latencies, shape (n_ops,).

        Raises:
            ValueError: a kind that was not in the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        latency = np.empty(len(X))
        for kind, rows in self._by_kind(X):
            latency[rows] = self._predict_kind(kind, X[rows, 1:])
        return latency

    def is_outside(self, X: np.ndarray) -> np.ndarray:
        """Return which ops leave the range of features that was seen of their kind, shape (n_ops,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        outside = np.zeros(len(X), bool)
        for kind, rows in self._by_kind(X):
            outside[rows] = outside_box(X[rows, 1:], self.lows_[kind], self.highs_[kind]).any(axis=1)
        return outside

    def _by_kind(self, X: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        kinds = np.rint(X[:, 0])
        for kind in np.unique(kinds):
            if kind not in self.coefs_:
                raise ValueError(f"kind {kind:g} was not in the fit; known are {self.kinds_}")
            yield int(kind), kinds == kind

    def _fit_kind(self, kind: int, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Fit one kind and return what it says of each row that it has not seen."""
        self.lows_[kind], self.highs_[kind] = bounding_box(X)
        self.coefs_[kind] = fit_nonnegative(self._costs(X), y)
        learners = self._learners() if len(y) >= _FEW else {}
        held_out = self._held_out(X, y, groups, learners)
        if len(learners) > 1:  # one is smooth, one has steps: each errs in ways of its own
            logs = [np.log(held_out[name]) for name in learners]
            held_out[_BETWEEN.join(learners)] = np.exp(np.mean(logs, axis=0))
        # What counts is the sum over a network: expensive ops weigh more.
        off = {name: float(np.abs(each - y).sum()) for name, each in held_out.items()}
        chosen = min(off, key=off.__getitem__)
        self.chosen_[kind] = chosen
        if chosen != NO_RESIDUAL:
            left = np.log(y) - self._log_base(X, self.coefs_[kind])
            self.residuals_[kind] = [
                fit_quietly(learners[name], X[:, self.n_costs :], left) for name in chosen.split(_BETWEEN)
            ]
        return held_out[chosen]

    def _learners(self) -> dict[str, RegressorMixin]:
        plain = [name for name in self.candidates if name not in (BOOSTED, SMOOTH)]
        learners = make_candidates(plain, self.random_state) if plain else {}
        if SMOOTH in self.candidates:
            # Weaker than the "svr" of others, which follows single rows: here times have noise.
            learners[SMOOTH] = make_pipeline(StandardScaler(), SVR(C=3.0, epsilon=0.02, gamma=0.03))
        if BOOSTED in self.candidates:
            learners[BOOSTED] = BoostedTrees(random_state=self.random_state)
        return learners

    def _held_out(
        self, X: np.ndarray, y: np.ndarray, groups: np.ndarray, learners: dict[str, RegressorMixin]
    ) -> dict[str, np.ndarray]:
        n_splits = min(self.n_splits, len(np.unique(groups)))
        held_out = {name: np.empty_like(y) for name in (NO_RESIDUAL, *learners)}
        if n_splits < 2:
            held_out[NO_RESIDUAL] = np.exp(self._log_base(X, fit_nonnegative(self._costs(X), y)))
            return {NO_RESIDUAL: held_out[NO_RESIDUAL]}
        folds = GroupKFold(n_splits=n_splits, shuffle=True, random_state=self.random_state)
        for train, test in folds.split(X, y, groups):
            coef = fit_nonnegative(self._costs(X[train]), y[train])
            base = self._log_base(X[test], coef)
            held_out[NO_RESIDUAL][test] = np.exp(base)
            left = np.log(y[train]) - self._log_base(X[train], coef)
            for name, learner in learners.items():
                fitted = fit_quietly(clone(learner), X[train, self.n_costs :], left)
                rest = fitted.predict(X[test, self.n_costs :])
                held_out[name][test] = np.exp(base + rest)
        return held_out

    def _predict_kind(self, kind: int, X: np.ndarray) -> np.ndarray:
        log_latency = self._log_base(X, self.coefs_[kind])
        if kind in self.residuals_:
            parts = [residual.predict(X[:, self.n_costs :]) for residual in self.residuals_[kind]]
            log_latency = log_latency + np.mean(parts, axis=0)
        latency: np.ndarray = np.maximum(np.exp(log_latency), self.least)
        return latency

    def _costs(self, X: np.ndarray) -> np.ndarray:
        """Return what adds up: the costs and a constant, which is what an op takes that does nothing."""
        return np.column_stack([np.ones(len(X)), X[:, : self.n_costs]])

    def _log_base(self, X: np.ndarray, coef: np.ndarray) -> np.ndarray:
        logs: np.ndarray = np.log(np.maximum(self._costs(X) @ coef, max(self.least, _TINY)))
        return logs

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = True  # on data whose first column is no kind
        return tags
