"""What learns a page's effect from its features: the candidates, and what they look at.

Camel (https://arxiv.org/abs/2005.00749) takes 127 features of 6,913 and a network of 7 layers for 800 pages.
With tens of pages the few columns that tell most, strong penalties and shallow models are what generalises.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils.validation import check_is_fitted, validate_data

from predictors.selection import fit_quietly

# Effects are logarithms, so that squared errors of them are the squared logarithmic errors of Camel.
_FACTORIES: dict[str, Callable[[int | None], RegressorMixin]] = {
    "ridge": lambda seed: Ridge(alpha=5.0),
    "svr": lambda seed: SVR(C=0.3, epsilon=0.03, gamma="scale"),
    "boosting": lambda seed: GradientBoostingRegressor(
        n_estimators=60, learning_rate=0.08, max_depth=2, min_samples_leaf=3, random_state=seed
    ),
    "neighbours": lambda seed: NearestPages(),
    "mlp": lambda seed: MLPRegressor(
        hidden_layer_sizes=(12,), activation="tanh", solver="lbfgs", alpha=3.0, random_state=seed
    ),
}
_ALIKE = 0.9  # correlation from which on two columns say the same
_PAGES_PER_COLUMN, _FEWEST_COLUMNS, _MOST_COLUMNS = 5, 3, 24


def learner_names() -> tuple[str, ...]:
    """Return the names of all candidates, the simplest first."""
    return tuple(_FACTORIES)


def make_learner(name: str, random_state: int | None) -> Pipeline:
    """Return an unfitted pipeline: the columns that tell most, scaled, and a regressor.

    Raises:
        ValueError: there is no such candidate.
    """
    if name not in _FACTORIES:
        raise ValueError(f"candidate is {name!r}; choose among {', '.join(_FACTORIES)}")
    return Pipeline(
        [("columns", TellingColumns()), ("scaler", StandardScaler()), (name, _FACTORIES[name](random_state))]
    )


def fit_learner(learner: Pipeline, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Pipeline:
    """Fit and return ``learner``, its rows weighted: one row's weight is 1 on average."""
    last = learner.steps[-1][0]
    return fit_quietly(learner, X, y, **{f"{last}__sample_weight": weight / np.mean(weight)})


class TellingColumns(TransformerMixin, BaseEstimator):
    """Keep the columns whose ranks go with those of the target, and of columns that say the same one.

    Args:
        most: columns to keep; ``None``: one for every five rows, at least three.

    Attributes:
        columns_: those kept, the most telling first.
    """

    def __init__(self, most: int | None = None):
        self.most = most

    def fit(self, X: np.ndarray, y: np.ndarray) -> TellingColumns:
        """Choose the columns of X, shape (n_samples, n_features), that tell most of y, shape (n_samples,)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        most = self.most
        if most is None:
            most = int(np.clip(len(y) // _PAGES_PER_COLUMN, _FEWEST_COLUMNS, _MOST_COLUMNS))
        ranked = _standardised(_ranks(X))
        tells = np.abs(_standardised(_ranks(y[:, None]))[:, 0] @ ranked) / len(y)
        kept: list[int] = []
        for column in np.argsort(-tells, kind="stable"):
            if len(kept) == most:
                break
            if not ranked[:, column].any():
                continue  # all rows alike
            if not kept or np.max(np.abs(ranked[:, column] @ ranked[:, kept])) / len(y) < _ALIKE:
                kept.append(int(column))
        self.columns_ = np.array(kept or [0])
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the columns kept, shape (n_samples, n_kept)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        kept: np.ndarray = X[:, self.columns_]
        return kept


class NearestPages(RegressorMixin, BaseEstimator):
    """Predict the weighted mean of the nearest rows, and of all rows where none is near.

    Args:
        count: rows that count as near.

    Attributes:
        rows_, values_, weights_, mean_: what was seen.
    """

    def __init__(self, count: int = 7):
        self.count = count

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> NearestPages:
        """Keep X, shape (n_samples, n_features), and y, shape (n_samples,)."""
        self.rows_, self.values_ = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self.weights_ = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        self.mean_ = float(np.average(self.values_, weights=self.weights_))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return predictions, shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        apart = np.sqrt(((X[:, None] - self.rows_[None]) ** 2).sum(axis=2))
        near = np.argsort(apart, axis=1)[:, : self.count]
        nearness = 1 / (np.take_along_axis(apart, near, axis=1) + 1.0)
        weight = nearness * self.weights_[near]
        # One row's worth of the mean of all: alone, a near page is no better known than any other.
        total = (weight * self.values_[near]).sum(axis=1) + self.mean_
        predicted: np.ndarray = total / (weight.sum(axis=1) + 1.0)
        return predicted


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value in its column; equal values share the mean of theirs."""
    ranks = np.empty(values.shape)
    for column, each in enumerate(values.T):
        _, inverse, counts = np.unique(each, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        ranks[:, column] = (ends - (counts - 1) / 2)[inverse]
    return ranks


def _standardised(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    return np.where(spread > 0, centred / np.where(spread > 0, spread, 1.0), 0.0)
