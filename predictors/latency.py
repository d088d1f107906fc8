"""The latency predictor: the best of several regressors, with an interval and a known range."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GroupShuffleSplit
from sklearn.utils.validation import check_is_fitted, validate_data

from predictors.competitors import make_competitors
from predictors.conformal import calibration_groups, conformal_quantile, group_scores, groups_needed
from predictors.difficulty import beta_of, fit_difficulty, mean_widths
from predictors.hull import bounding_box, describe_first, outside_box
from predictors.selection import fit_quietly, held_out_predictions, mape_pct

_WORTH = 0.95  # a learnt difficulty must make intervals at least this much narrower


class LatencyPredictor(RegressorMixin, BaseEstimator):
    """Predict positive latencies, with an interval that holds with probability 1 - alpha.

    ``fit`` sets some groups aside, lets the candidates compete on the others by grouped
    cross-validation, refits the winner on those, and takes the width of the interval from the
    groups set aside, which neither the choice nor the fit has seen (split conformal).

    Args:
        candidates: names of the regressors that compete; ``None`` for all.
        alpha: share of new groups that may fall outside the interval.
        n_splits: folds of the cross-validation; fewer when there are fewer groups.
        calibration: largest share of the groups set aside, and never fewer than the interval needs.
        normalized: make the interval wide where predictions are hard and narrow where they are easy, by
            a difficulty learnt in cross-validation; ``False`` makes it equally wide everywhere, ``None``
            takes whichever is narrower, on average, in the cross-validation.
        costs: columns of X that add up to a latency; where there are some, sums of them compete, too.
        on_extrapolate: ``"raise"`` or ``"warn"`` when asked outside the range of training.
        random_state: seed of the split, the folds and the candidates.

    Attributes:
        scores_: mean absolute percentage error of each candidate in cross-validation.
        chosen_: name of the candidate with the least error.
        estimator_: the fitted pipeline, of log latency.
        normalized_: which kind of interval is given.
        widths_: mean width on the log scale of ``"split"`` and ``"normalised"`` intervals, each at 1 - alpha
            coverage of groups left out in the cross-validation; empty where no choice was to be made or
            there are too few groups to make one.
        half_width_: of the interval, on the log scale; the median over the groups set aside if normalized.
        holdout_mape_pct_: error of the chosen one on the groups set aside.
        n_groups_: number of groups seen.

    Example:
        >>> clock_ghz = np.linspace(0.5, 2.5, 40)[:, None]
        >>> predictor = LatencyPredictor(candidates=("linear",)).fit(np.log(clock_ghz), 20 / clock_ghz[:, 0])
        >>> bool(abs(predictor.predict(np.log([[2.0]]))[0] - 10) < 0.1)
        True
    """

    def __init__(
        self,
        candidates: Sequence[str] | None = None,
        alpha: float = 0.1,
        n_splits: int = 5,
        calibration: float = 0.25,
        normalized: bool | None = None,
        costs: Sequence[int] = (),
        on_extrapolate: str = "raise",
        random_state: int | None = 0,
    ):
        self.candidates = candidates
        self.alpha = alpha
        self.n_splits = n_splits
        self.calibration = calibration
        self.normalized = normalized
        self.costs = costs
        self.on_extrapolate = on_extrapolate
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> LatencyPredictor:
        """Choose, fit and calibrate.

        Args:
            X: features, shape (n_samples, n_features).
            y: latencies, positive, shape (n_samples,).
            groups: rows that must not be split apart, shape (n_samples,); each row its own by default.

        Raises:
            ValueError: a parameter or value out of range, or too few groups.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        if np.min(y) <= 0:
            raise ValueError(f"a latency of {np.min(y):g} was given; only positive ones have a logarithm")
        _check_features(X)
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        if groups.shape != y.shape:
            raise ValueError(f"groups has shape {groups.shape}; {y.shape} is needed, one per row")

        train, held_out = self._split(X, groups)
        log_y = np.log(y)
        competitors = make_competitors(self.candidates, self.costs, X.shape[1], self.random_state)
        n_splits = min(self.n_splits, len(np.unique(groups[train])))
        in_training = held_out_predictions(
            competitors, X[train], log_y[train], groups[train], n_splits, self.random_state
        )
        # A wild extrapolation may overflow; an infinite error loses the contest, which is all it should do.
        with np.errstate(over="ignore"):
            self.scores_ = {
                name: mape_pct(y[train], np.exp(predicted)) for name, predicted in in_training.items()
            }
        self.chosen_ = min(self.scores_, key=self.scores_.__getitem__)
        self.estimator_ = fit_quietly(competitors[self.chosen_], X[train], log_y[train])

        residuals = in_training[self.chosen_] - log_y[train]
        self.normalized_ = self._choose_interval(X[train], residuals, groups[train], n_splits)
        self.difficulty_, self.beta_ = None, 1.0
        if self.normalized_:
            self.difficulty_ = fit_difficulty(X[train], residuals, self.random_state)
            self.beta_ = beta_of(residuals)
        predicted = self.estimator_.predict(X[held_out])
        difficulty = self._difficulty(X[held_out])
        scores = group_scores((predicted - log_y[held_out]) / difficulty, groups[held_out])
        self.quantile_ = conformal_quantile(scores, self.alpha)
        self.half_width_ = float(self.quantile_ * np.median(difficulty))
        self.holdout_mape_pct_ = mape_pct(y[held_out], np.exp(predicted))
        self.n_groups_ = len(np.unique(groups))
        # The groups set aside count as seen: the interval was checked on them.
        self.hull_low_, self.hull_high_ = bounding_box(X)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return latencies, shape (n_samples,), in the unit of ``y``.

        Raises:
            NotFittedError: before ``fit``.
            ValueError: a row lies outside the range of training and ``on_extrapolate`` is ``"raise"``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        outside = outside_box(X, self.hull_low_, self.hull_high_)
        if outside.any():
            what = describe_first(X, outside, self.hull_low_, self.hull_high_)
            if self.on_extrapolate == "raise":
                raise ValueError(f"{what}; measure that and fit again, or pass on_extrapolate='warn'")
            warnings.warn(f"extrapolating: {what}", UserWarning, stacklevel=2)
        latency: np.ndarray = np.exp(self.estimator_.predict(X))
        return latency

    def predict_interval(self, X: np.ndarray) -> np.ndarray:
        """Return lower and upper bounds of the latency, shape (n_samples, 2); raises as ``predict`` does."""
        latency = self.predict(X)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        factor = np.exp(self.quantile_ * self._difficulty(X))
        return np.stack([latency / factor, latency * factor], axis=1)

    def is_inside(self, X: np.ndarray) -> np.ndarray:
        """Return which rows lie in the range of training, booleans of shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        outside = outside_box(X, self.hull_low_, self.hull_high_)
        inside: np.ndarray = np.logical_not(outside.any(axis=1))
        return inside

    def _difficulty(self, X: np.ndarray) -> np.ndarray:
        """Return what residuals are measured by: 1, or the learnt difficulty, shape (n_samples,)."""
        if self.difficulty_ is None:
            return np.ones(len(X))
        difficulty: np.ndarray = self.difficulty_.predict(X) + self.beta_
        return difficulty

    def _choose_interval(
        self, X: np.ndarray, residuals: np.ndarray, groups: np.ndarray, n_splits: int
    ) -> bool:
        """Return whether to normalise. The groups set aside are not asked: their promise would not hold."""
        self.widths_: dict[str, float] = {}
        if self.normalized is not None:
            return self.normalized
        if len(np.unique(groups)) < groups_needed(self.alpha):
            return False
        self.widths_ = mean_widths(X, residuals, groups, self.alpha, n_splits, self.random_state)
        return self.widths_["normalised"] < _WORTH * self.widths_["split"]

    @staticmethod
    def groups_required(alpha: float = 0.1) -> int:
        """Return the least number of groups ``fit`` takes: two to learn from, the rest to bound the error."""
        return groups_needed(alpha) + 2

    def _check_parameters(self) -> None:
        if not 0 < self.alpha < 1 or not 0 < self.calibration < 1:
            given = f"alpha is {self.alpha}, calibration {self.calibration}"
            raise ValueError(f"{given}; both must lie between 0 and 1")
        if self.n_splits < 2:
            raise ValueError(f"n_splits is {self.n_splits}; at least 2 folds are needed")
        if self.on_extrapolate not in ("raise", "warn"):
            raise ValueError(f"on_extrapolate is {self.on_extrapolate!r}; allowed: 'raise', 'warn'")

    def _split(self, X: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n_groups = len(np.unique(groups))
        needed = self.groups_required(self.alpha)
        if n_groups < needed:
            raise ValueError(
                f"{n_groups} groups (n_samples = {len(groups)}) are too few; "
                f"an interval with alpha {self.alpha:g} needs at least {needed}: measure more settings"
            )
        most = min(max(groups_needed(self.alpha), round(self.calibration * n_groups)), n_groups - 2)
        aside = calibration_groups(most, self.alpha)
        splitter = GroupShuffleSplit(n_splits=1, test_size=aside, random_state=self.random_state)
        return next(splitter.split(X, groups=groups))

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags


def _check_features(X: np.ndarray) -> None:
    """Refuse features that say nothing, or so many that any latencies at all would fit."""
    varying = int(np.any(X[0] != X, axis=0).sum())
    if not varying:
        raise ValueError(f"all {X.shape[1]} features are constant: nothing tells n_samples = {len(X)} apart")
    # Features that move together, as those of two workloads do, count once.
    if varying >= len(X) and np.linalg.matrix_rank(X - X.mean(axis=0)) >= len(X) - 1:
        raise ValueError(
            f"{varying} features and n_samples = {len(X)}: any latencies would fit; "
            "measure more samples than there are features"
        )
