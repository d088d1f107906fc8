"""Frames per second of pages on cores and clocks: physics, what is learnt of pages, and bounds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from predictors.frames.bounds import FrameBounds
from predictors.frames.candidates import fit_learner, learner_names, make_learner
from predictors.frames.contest import best_of, compete, contestants, fit_pages
from predictors.frames.pages import mean_by_page, page_effects
from predictors.frames.rows import BEFORE_WORK, FrameRows
from predictors.frames.seen_range import FrameRange

_FEWEST_FAMILIES = 3
_FEWEST_TRUTHS = 20  # pages: of fewer, a tenth that lies outside is a page or none
PageEffect = tuple[float, float]  # of one page, and how far it may be off


class FrameRate(RegressorMixin, BaseEstimator):
    """Predict displayed frames per second of a page under a setting, with an interval.

    A curve of physics (``FrameCurve``) is fitted to all pages; a learner of the pages' features says how much
    faster or slower than the curve a page is. Both are chosen by cross-validation that keeps families of
    pages apart. What a page is known by is one number, so predictions rise with the capacity, and a single
    throttled run of a page, or a gesture that was governed, corrects it (``observe``).

    Columns of X: capacity (share of the fastest core), refresh rate in Hz, number of the kind of core, then
    ``n_work`` columns of CPU work per displayed frame in ms at full speed, then features of page and gesture,
    already on scales on which differences count alike (counts as logarithms).

    Args:
        n_work: columns of work; 0: the page was never run.
        learners: candidates; ``None`` for all of ``learner_names()``.
        names: of the features, for messages.
        guarded: features that must lie in the range that was seen, whoever looks at them: a gesture's speed.
        alpha: share of pages that may fall outside the interval.
        n_splits: folds of the cross-validation.
        on_extrapolate: ``"raise"`` or ``"warn"`` when asked outside the range of training.
        random_state: seed of the folds and the candidates.

    Attributes:
        scores_: mean absolute error of the logarithm, of each candidate on families it has not seen. A page
            counts once, however often it was measured.
        chosen_: name of the one with the least: ``work`` or ``mean`` (whether a frame's work is taken), and
            its learner.
        held_out_: frames per second of every row of the fit by the chosen one fitted without its family.
        curve_, learner_, bounds_, range_: what predicts; ``learner_`` is ``None`` where physics did as well.
        n_pages_, n_families_: how many were seen.

    Example:
        >>> capacity = np.tile([0.1, 0.2, 0.4, 1.0], 12)
        >>> work_ms = np.repeat(np.linspace(2, 12, 12), 4)
        >>> fps = np.minimum(60, (capacity - 0.02) * 1000 / work_ms)
        >>> X = np.column_stack([capacity, np.full(48, 60), np.zeros(48), work_ms, work_ms])
        >>> rate = FrameRate(n_work=1, learners=()).fit(X, fps, pages=np.repeat(np.arange(12), 4))
        >>> bool(abs(rate.predict([[0.2, 60, 0, 7.0, 7.0]])[0] - 25.7) < 3)
        True
    """

    def __init__(
        self,
        n_work: int = 0,
        learners: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        guarded: Sequence[int] = (),
        alpha: float = 0.1,
        n_splits: int = 5,
        on_extrapolate: str = "raise",
        random_state: int | None = 0,
    ):
        self.n_work = n_work
        self.learners = learners
        self.names = names
        self.guarded = guarded
        self.alpha = alpha
        self.n_splits = n_splits
        self.on_extrapolate = on_extrapolate
        self.random_state = random_state

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        pages: np.ndarray | None = None,
        families: np.ndarray | None = None,
        sample_weight: np.ndarray | None = None,
        truths: np.ndarray | None = None,
    ) -> FrameRate:
        """Let the candidates compete, fit the best, and calibrate its bounds.

        Args:
            X: see the class, shape (n_samples, n_features).
            y: displayed frames per second, positive, shape (n_samples,).
            pages: what is one page under one gesture; each row its own by default.
            families: pages made alike, which cross-validation keeps together; by default the pages.
            sample_weight: how much each row counts, such as how often it was measured.
            truths: rows that are known well, booleans: where enough pages have some, the bounds are of what
                these scatter by, not of what single runs do.

        Raises:
            ValueError: a parameter or value out of range, or pages of fewer than three families.
        """
        X, y, pages, families, weight = self._check(X, y, pages, families, sample_weight)
        rows = FrameRows.of(X, self.n_work)
        _, first, place = np.unique(pages, return_index=True, return_inverse=True)
        self.n_pages_, self.n_families_ = int(place.max()) + 1, len(np.unique(families))
        n_cores = int(rows.core.max()) + 1
        learners = (learner_names() if self.learners is None else self.learners) if rows.page.size else ()
        held_out = compete(
            contestants(self.n_work > 0, learners), rows, y, place, families, weight,
            n_cores=n_cores, n_splits=min(self.n_splits, self.n_families_), seed=self.random_state,
        )  # fmt: skip
        off = {name: mean_by_page(each.off(y), place, weight) for name, each in held_out.items()}
        self.scores_ = {name: float(each.mean()) for name, each in off.items()}
        self.chosen_ = best_of(off, families[first])
        side, _, learner = self.chosen_.partition("+")
        fitted = fit_pages(side, rows, y, place, weight, n_cores)
        self.curve_, self.learner_ = fitted.curve, None
        if learner:
            self.learner_ = make_learner(learner, self.random_state)
            fit_learner(self.learner_, fitted.page, fitted.effect, fitted.weight)
        self.range_ = FrameRange().fit(rows, self._columns_that_count(rows))
        said = held_out[self.chosen_]
        self.held_out_ = np.exp(said.log_fps)
        judged = np.ones(len(y), bool) if truths is None else np.asarray(truths, bool)
        if len(np.unique(place[judged])) < _FEWEST_TRUTHS:
            judged[:] = True
        self.bounds_ = FrameBounds().fit(
            self.curve_, fitted.noise, said.select(judged), rows.select(judged), y[judged], place[judged]
        )
        return self

    def predict(self, X: np.ndarray, effect: PageEffect | None = None, offset: float = 0.0) -> np.ndarray:
        """Return displayed frames per second, shape (n_samples,).

        Args:
            effect: of the one page that all rows are of, as ``observe`` returned it.
            offset: of the logarithm of every page's rate: what the machine itself is faster by.

        Raises:
            NotFittedError: before ``fit``.
            ValueError: a row lies outside the range of training and ``on_extrapolate`` is ``"raise"``.
        """
        rows = self._rows(X)
        frames: np.ndarray = np.exp(self.curve_.log_frames(rows, self._effect(rows, effect, offset)))
        return frames

    def predict_interval(
        self, X: np.ndarray, effect: PageEffect | None = None, alpha: float | None = None, **change: float
    ) -> np.ndarray:
        """Return bounds of the frames per second, shape (n_samples, 2); raises as ``predict`` does.

        Args:
            effect, alpha, change: as for ``estimate``.
        """
        bounds: np.ndarray = self.estimate(X, effect, alpha, **change)[:, 1:3]
        return bounds

    def estimate(
        self,
        X: np.ndarray,
        effect: PageEffect | None = None,
        alpha: float | None = None,
        offset: float = 0.0,
        scale: float = 1.0,
    ) -> np.ndarray:
        """Return all that is predicted at once, shape (n_samples, 4); raises as ``predict`` does.

        Columns: displayed frames per second, their lower and upper bound, and the share of its time that the
        core is busy.

        Args:
            effect, offset: as for ``predict``.
            alpha: share of pages that may fall outside the bounds; by default the estimator's.
            scale: makes the bounds so much wider, on the log scale.
        """
        rows = self._rows(X)
        page = self._effect(rows, effect, offset)
        log_rate = self.curve_.log_rate(rows, page)
        log_frames = self.curve_.log_bend(log_rate) + self.curve_.log_ceiling(rows)
        share = 1.0 - (self.alpha if alpha is None else alpha)
        spread = None if effect is None else effect[1]
        half = scale * self.bounds_.half_width(self.curve_, log_rate, share, spread)
        high = np.minimum(np.exp(log_frames + half), rows.refresh_hz)
        return np.column_stack(
            [np.exp(log_frames), np.exp(log_frames - half), high, self.curve_.busy(log_rate)]
        )

    def observe(self, X: np.ndarray, y: np.ndarray) -> PageEffect:
        """Return the effect of one page by what was measured of it, and how far that may still be off.

        Args:
            X: rows of the page, shape (n_samples, n_features).
            y: displayed frames per second, positive, shape (n_samples,).
        """
        rows, y = self._rows(X), np.asarray(y, np.float64)
        if y.shape != rows.capacity.shape or not np.all(np.isfinite(y) & (y > 0)):
            raise ValueError(f"y has shape {y.shape}; give {len(rows.capacity)} positive frame rates")
        one = np.zeros(len(y), int)
        believed = self.learnt_effect(rows)[:1]
        effect, spread = page_effects(
            self.curve_, rows, y, one, one + 1.0, believed, self.bounds_.spread_, self.bounds_.noise_
        )
        return float(effect[0]), float(spread[0])

    def learnt_effect(self, rows: FrameRows) -> np.ndarray:
        """Return what each row's page is faster by than the curve, logarithm, as its features tell."""
        if self.learner_ is None:
            return np.zeros(len(rows.capacity))
        page = self.range_.clip(rows.page)
        if (page == page[0]).all():  # one page under many settings: asked once
            return np.full(len(page), self.learner_.predict(page[:1])[0])
        learnt: np.ndarray = self.learner_.predict(page)
        return learnt

    def is_inside(self, X: np.ndarray) -> np.ndarray:
        """Return which rows lie in the range of training, booleans of shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.range_.is_inside(FrameRows.of(X, self.n_work))

    def _effect(self, rows: FrameRows, effect: PageEffect | None, offset: float) -> np.ndarray:
        known = self.learnt_effect(rows) if effect is None else np.full(len(rows.capacity), effect[0])
        return known + offset

    def _columns_that_count(self, rows: FrameRows) -> list[int]:
        """Return the columns of pages that a prediction depends on."""
        n_features = rows.features.shape[1]
        columns = list(self.guarded)
        if self.learner_ is not None:
            columns += self.learner_[0].columns_.tolist()
        if self.n_work and self.curve_.uses_work:
            columns.append(n_features)  # the logarithm of a frame's work
        return columns

    def _rows(self, X: np.ndarray) -> FrameRows:
        check_is_fitted(self)
        rows = FrameRows.of(validate_data(self, X, dtype=np.float64, reset=False), self.n_work)
        if not self.range_.is_inside(rows).all():
            what = self.range_.describe(rows, self.names or ())
            if self.on_extrapolate == "raise" or np.max(rows.core) >= self.curve_.n_cores:
                raise ValueError(f"{what}; measure that and fit again, or pass on_extrapolate='warn'")
            warnings.warn(f"extrapolating: {what}", UserWarning, stacklevel=3)
        return rows

    def _check(
        self,
        X: np.ndarray,
        y: np.ndarray,
        pages: np.ndarray | None,
        families: np.ndarray | None,
        weight: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        if not 0 < self.alpha < 1 or self.n_splits < 2:
            raise ValueError(
                f"alpha is {self.alpha}, n_splits {self.n_splits}; allowed: between 0 and 1, and 2 or more"
            )
        if self.on_extrapolate not in ("raise", "warn"):
            raise ValueError(f"on_extrapolate is {self.on_extrapolate!r}; allowed: 'raise', 'warn'")
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        if X.shape[1] < BEFORE_WORK + self.n_work:
            raise ValueError(f"X has {X.shape[1]} columns; {BEFORE_WORK + self.n_work} are needed at least")
        if np.min(y) <= 0:
            raise ValueError(f"{np.min(y):g} frames per second were given; only positive ones can be learnt")
        pages = np.arange(len(y)) if pages is None else np.asarray(pages)
        families = pages if families is None else np.asarray(families)
        weight = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
        if not pages.shape == families.shape == weight.shape == y.shape or not np.all(weight > 0):
            raise ValueError(
                f"pages, families and positive weights must have the shape {y.shape}, one per row"
            )
        if len(np.unique(families)) < _FEWEST_FAMILIES:
            raise ValueError(
                f"pages of {len(np.unique(families))} families; at least {_FEWEST_FAMILIES} are needed, or "
                "nothing tells what holds for others: measure more pages"
            )
        return X, y, pages, families, weight
