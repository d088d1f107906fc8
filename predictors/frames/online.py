"""A predictor of frame rates that watches gestures, and corrects itself when the machine has changed."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_array, column_or_1d

from predictors.drift import DriftWatch, drift_begin, width_needed
from predictors.frames.rate import FrameRate, PageEffect
from predictors.frames.rows import FrameRows

_OFFSETS = np.linspace(-1.5, 1.5, 301)  # of the logarithm of the rate: up to 4.5 times slower or faster
_NONE_KNOWN = 1e-3  # weight of the squared offset: gestures at the refresh rate say nothing of it


class OnlineFrames(DriftWatch, RegressorMixin, BaseEstimator):
    """Predict as ``predictor`` does until gestures fall out of its intervals more often than luck explains.

    Then rates of all pages are shifted by what explains the gestures since, and intervals are widened to what
    they need: as ``OnlineLatency`` does, but before the bend into the refresh rate, which no drift moves.

    Args:
        predictor: fitted.
        window: how many of the last gestures count.
        false_alarm: chance, per gesture, of taking luck for drift.
        min_update: fewest gestures a correction is learnt from; five mispredicted pages in Camel.
        trust_pct: an interval that reaches further below the prediction is not trusted.

    Attributes:
        offset_: correction of the logarithm of the rate now.
        scale_: the interval's half width now, over the predictor's own.
        drifts_: how often a drift was found.
        recent_: of each gesture since: rate before the offset and share of the ceiling that was seen,
            logarithms, and half width.
    """

    recent_: list[tuple[float, float, float]]

    def __init__(
        self,
        predictor: FrameRate,
        window: int = 30,
        false_alarm: float = 0.001,
        min_update: int = 5,
        trust_pct: float = 20.0,
    ):
        self.predictor = predictor
        self.window = window
        self.false_alarm = false_alarm
        self.min_update = min_update
        self.trust_pct = trust_pct

    def partial_fit(self, X: np.ndarray, y: np.ndarray) -> OnlineFrames:
        """Take note of gestures, in the order they were made.

        Args:
            X: features as ``FrameRate`` takes them, inside its range, shape (n_samples, n_features).
            y: displayed frames per second, positive, shape (n_samples,).

        Raises:
            ValueError: a frame rate that cannot be, or features outside the range.
        """
        self._start()
        X, y = check_array(X, dtype=np.float64), column_or_1d(y, dtype=np.float64)
        if len(X) != len(y) or not np.all(np.isfinite(y)) or np.min(y) <= 0:
            raise ValueError(f"{len(X)} rows with {len(y)} frame rates; each needs one, a positive number")
        half = self._half_widths(X)
        rows = FrameRows.of(X, self.predictor.n_work)
        curve = self.predictor.curve_
        rates = curve.log_rate(rows, self.predictor.learnt_effect(rows))
        shares = np.log(y) - curve.log_ceiling(rows)
        for case in range(len(y)):
            seen = float(rates[case]), float(shares[case]), float(half[case])
            self.recent_ = [*self.recent_, seen][-self.window :]
            self._look()
        return self

    def predict(self, X: np.ndarray, effect: PageEffect | None = None) -> np.ndarray:
        """Return displayed frames per second, shape (n_samples,), with the correction of now."""
        self._start()
        return self.predictor.predict(X, effect, self.offset_)

    def predict_interval(
        self, X: np.ndarray, effect: PageEffect | None = None, alpha: float | None = None
    ) -> np.ndarray:
        """Return lower and upper bounds, shape (n_samples, 2), with the correction of now."""
        return self.estimate(X, effect, alpha)[:, 1:3]

    def estimate(
        self, X: np.ndarray, effect: PageEffect | None = None, alpha: float | None = None
    ) -> np.ndarray:
        """Return all that ``FrameRate.estimate`` does, with the correction of now."""
        self._start()
        return self.predictor.estimate(X, effect, alpha, self.offset_, self.scale_)

    def observe(self, X: np.ndarray, y: np.ndarray) -> PageEffect:
        """Return the effect of one page by what was measured of it now; see ``FrameRate.observe``."""
        self._start()
        effect, spread = self.predictor.observe(X, y)
        return effect - self.offset_, spread

    def is_trusted(self, X: np.ndarray, effect: PageEffect | None = None) -> np.ndarray:
        """Return which predictions may be acted on, booleans of shape (n_samples,)."""
        frames, low, _, _ = self.estimate(X, effect).T
        trusted: np.ndarray = 100 * (frames / low - 1) <= self.trust_pct
        return trusted

    def _half_widths(self, X: np.ndarray) -> np.ndarray:
        """Return the predictor's own half widths on the log scale, which its upper bounds may hide."""
        frames, low, _, _ = self.predictor.estimate(X, offset=self.offset_).T
        half: np.ndarray = np.log(frames / low)
        return half

    def _look(self) -> None:
        rates, shares, half = np.array(self.recent_).T
        bend = self.predictor.curve_.log_bend
        missed = np.abs(shares - bend(rates + self.offset_)) > self.scale_ * half
        begun = drift_begin(missed, self.predictor.alpha, self.false_alarm, self.min_update)
        if begun is None:
            return
        rates, shares, half = rates[begun:], shares[begun:], half[begun:]
        off = np.abs(shares - bend(rates + _OFFSETS[:, None]))  # (n_offsets, n_cases)
        best = int(np.argmin(off.sum(axis=1) + _NONE_KNOWN * _OFFSETS**2))
        self.offset_ = float(_OFFSETS[best])
        self.scale_ = width_needed(off[best] / half, self.predictor.alpha)
        self.drifts_ += 1
        # What led to the correction says nothing about whether it holds.
        self.recent_ = []
