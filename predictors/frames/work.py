"""What a frame of a page that never ran takes of a core, by role of the thread, from the page's features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted, validate_data

from predictors.frames.candidates import fit_learner, learner_names, make_learner

MEDIAN = "median"  # of the other pages
_LEAST_MS = 0.01  # a thread that did nothing has a logarithm, too
_WORTH, _LUCK = 0.02, 0.3  # a learner must beat the median by more than luck, see ``FrameRate``
_CAP = 2.0  # in log work


class FrameWork(RegressorMixin, BaseEstimator):
    """Predict CPU work of a displayed frame at full speed, one column per role.

    Each role has the learner that does best on families of pages it has not seen, or none: then the median of
    the other pages stands for it.

    Args:
        learners: candidates; ``None`` for all of ``learner_names()``.
        n_splits: folds of the cross-validation.
        random_state: seed of the folds and the candidates.

    Attributes:
        chosen_: name of each role's learner, or ``"median"``.
        scores_: of each role, mean absolute error of the logarithm of each candidate on unseen families.
        held_out_: work of each row by a fit without its family, shape (n_samples, n_roles).

    Example:
        >>> X = np.random.default_rng(0).normal(size=(60, 3))
        >>> work = FrameWork(("ridge",)).fit(X, np.exp(X[:, :1]), families=np.arange(60))
        >>> work.chosen_
        ['ridge']
    """

    def __init__(
        self,
        learners: Sequence[str] | None = None,
        n_splits: int = 5,
        random_state: int | None = 0,
    ):
        self.learners = learners
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray, families: np.ndarray | None = None) -> FrameWork:
        """Let the candidates compete for each role.

        Args:
            X: features of pages, shape (n_samples, n_features).
            y: work in ms, not negative, shape (n_samples, n_roles).
            families: pages made alike, kept together in cross-validation; by default each row its own.

        Raises:
            ValueError: negative work, or pages of fewer than two families.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, ensure_min_samples=2)
        y = np.asarray(y, np.float64).reshape(len(X), -1)
        if np.min(y) < 0:
            raise ValueError(f"a work of {np.min(y):g} ms was given; a frame takes no less than 0")
        families = np.arange(len(X)) if families is None else np.asarray(families)
        n_splits = min(self.n_splits, len(np.unique(families)))
        if families.shape != (len(X),) or n_splits < 2:
            raise ValueError("families must name at least two, one per row: measure more pages")
        names = (MEDIAN, *(learner_names() if self.learners is None else self.learners))
        log_work = np.log(np.maximum(y, _LEAST_MS))
        said = {name: np.empty_like(log_work) for name in names}
        folds = GroupKFold(n_splits, shuffle=True, random_state=self.random_state)
        for train, test in folds.split(X, groups=families):
            for role in range(y.shape[1]):
                for name in names:
                    fitted = self._fit_one(name, X[train], log_work[train, role])
                    said[name][test, role] = _ask(fitted, X[test])
        self.low_, self.high_ = X.min(axis=0), X.max(axis=0)
        self.chosen_, self.scores_, self.fitted_ = [], [], []
        self.held_out_ = np.empty_like(y)
        worth = max(_WORTH, _LUCK / np.sqrt(len(X)))
        for role in range(y.shape[1]):
            off = {
                name: float(np.minimum(np.abs(each[:, role] - log_work[:, role]), _CAP).mean())
                for name, each in said.items()
            }
            best = min(off, key=off.__getitem__)
            chosen = best if off[best] < (1 - worth) * off[MEDIAN] else MEDIAN
            self.chosen_.append(chosen)
            self.scores_.append(off)
            self.fitted_.append(self._fit_one(chosen, X, log_work[:, role]))
            self.held_out_[:, role] = np.exp(said[chosen][:, role])
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return work in ms, shape (n_samples, n_roles); features beyond those seen count as the nearest."""
        check_is_fitted(self)
        X = np.clip(validate_data(self, X, dtype=np.float64, reset=False), self.low_, self.high_)
        work: np.ndarray = np.exp(np.column_stack([_ask(fitted, X) for fitted in self.fitted_]))
        return work

    def _fit_one(self, name: str, X: np.ndarray, log_work: np.ndarray) -> Pipeline | float:
        if name == MEDIAN:
            return float(np.median(log_work))
        return fit_learner(make_learner(name, self.random_state), X, log_work, np.ones(len(X)))


def _ask(fitted: Pipeline | float, X: np.ndarray) -> np.ndarray:
    return np.full(len(X), fitted) if isinstance(fitted, float) else fitted.predict(X)
