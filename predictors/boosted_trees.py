"""Gradient boosting whose trees are a few arrays: a file of thousands of them stays small."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.utils.validation import check_is_fitted, validate_data

_DEEPEST = 32  # of the trees of a file


class BoostedTrees(RegressorMixin, BaseEstimator):
    """Predict as scikit-learn's ``GradientBoostingRegressor`` with Huber's loss, from arrays of nodes.

    Many small steps, each on half of the rows: what is learnt here are steps of a machine (cache sizes,
    vector widths), which trees find, from times that other work on the machine disturbed, which Huber's loss
    and the halves bear.

    Args:
        n_estimators, learning_rate, max_depth, subsample, random_state: as there.

    Attributes:
        init_: what the trees add to.
        roots_: place of each tree's first node.
        feature_, threshold_, left_, right_, value_: of each node; a leaf is its own child.

    Example:
        >>> X = np.linspace(0, 1, 100)[:, None]
        >>> bool(abs(BoostedTrees().fit(X, X[:, 0] > 0.5).predict([[0.9]])[0] - 1) < 0.01)
        True
    """

    def __init__(
        self,
        n_estimators: int = 300,
        learning_rate: float = 0.05,
        max_depth: int = 4,
        subsample: float = 0.5,
        random_state: int | None = 0,
    ):
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.subsample = subsample
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> BoostedTrees:
        """Fit the trees to ``y``, shape (n_samples,), and keep them as arrays."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        boosting = GradientBoostingRegressor(
            loss="huber",
            n_estimators=self.n_estimators,
            learning_rate=self.learning_rate,
            max_depth=self.max_depth,
            subsample=self.subsample,
            random_state=self.random_state,
        ).fit(X, y)
        trees = [member.tree_ for member in boosting.estimators_[:, 0]]
        self.init_ = float(np.ravel(boosting.init_.predict(X[:1]))[0])
        self.roots_ = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
        nodes = np.arange(sum(tree.node_count for tree in trees))
        starts = np.repeat(self.roots_, [tree.node_count for tree in trees])
        left, right, feature = (
            np.concatenate([getattr(tree, name) for tree in trees])
            for name in ("children_left", "children_right", "feature")
        )
        is_leaf = left < 0
        self.left_ = np.where(is_leaf, nodes, left + starts)
        self.right_ = np.where(is_leaf, nodes, right + starts)
        self.feature_ = np.where(is_leaf, 0, feature)
        self.threshold_ = np.concatenate([tree.threshold for tree in trees])
        self.value_ = self.learning_rate * np.concatenate([tree.value[:, 0, 0] for tree in trees])
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return what the trees add up to, shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False).astype(np.float32)  # as trees compare
        rows = np.arange(len(X))[:, None]
        at = np.tile(self.roots_, (len(X), 1))  # (n_samples, n_trees)
        for _ in range(self.max_depth):
            goes_left = X[rows, self.feature_[at]] <= self.threshold_[at]
            at = np.where(goes_left, self.left_[at], self.right_[at])
        total: np.ndarray = self.init_ + self.value_[at].sum(axis=1)
        return total

    def is_whole(self) -> bool:
        """Whether the arrays of a file are such that ``predict`` stays inside them."""
        nodes = len(self.value_)
        parts = (self.left_, self.right_, self.feature_, self.threshold_, self.value_)
        return (
            nodes > 0
            and all(isinstance(part, np.ndarray) and part.shape == (nodes,) for part in parts)
            and isinstance(self.roots_, np.ndarray)
            and self.roots_.ndim == 1
            and all(part.dtype.kind == "i" for part in (self.left_, self.right_, self.feature_, self.roots_))
            and all(part.dtype.kind == "f" for part in (self.threshold_, self.value_))
            and all(_within(part, nodes) for part in (self.left_, self.right_, self.roots_))
            and _within(self.feature_, self.n_features_in_)
            and type(self.max_depth) is int
            and 0 <= self.max_depth <= _DEEPEST
            and type(self.init_) is float
        )


def _within(places: np.ndarray, count: int) -> bool:
    return bool(np.all((places >= 0) & (places < count)))
