"""How far off a frame rate is likely to be, and the conformal bounds that follow.

A page that is faster or slower than was believed shows it on slow cores alone: at the refresh rate all are
alike, and there little scatters. So residuals are measured by ``sqrt(floor^2 + (slow * sensitivity)^2)``,
with what is known of the page in ``slow``, and the quantiles of that ratio over pages held out are the bounds
(the normalised nonconformity of Papadopoulos, Gammerman, Vovk, 2008).
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from predictors.conformal import row_quantiles
from predictors.frames.contest import HeldOut
from predictors.frames.curve import FrameCurve
from predictors.frames.pages import LEAST_SPREAD, doubt, fit_doubt, page_effects, robust_spread
from predictors.frames.rows import FrameRows

N_LEVELS = 201
_LEVELS = np.linspace(0.0, 1.0, N_LEVELS)
_SLOW = 0.25  # capacity of the throttled run that the bounds after one are calibrated with
_ANYTHING = 1.0  # spread of effects that are to be found, not believed


class FrameBounds(BaseEstimator):
    """Bounds that hold for a stated share of pages, before a throttled run of a page and after one.

    Attributes:
        noise_: of the logarithms of rows whose page is known, see ``fit_doubt``.
        doubt_: of rows of pages held out, likewise.
        spread_: standard deviation of a page's effect before it ran throttled.
        quantiles_, quantiles_after_: of the scores of pages held out, at levels from 0 to 1.
    """

    def fit(
        self,
        curve: FrameCurve,
        noise: np.ndarray,
        said: HeldOut,
        rows: FrameRows,
        fps: np.ndarray,
        place: np.ndarray,
    ) -> FrameBounds:
        """Learn from what was said of every row without its page.

        Args:
            noise: see ``fit_doubt``.
            place: number of each row's page.
        """
        _, place = np.unique(place, return_inverse=True)
        log_fps = np.log(fps)
        even = np.ones(len(fps))
        # What was said of each page without it, as an effect on this curve.
        believed = np.bincount(place, said.log_rate - curve.log_rate(rows)) / np.bincount(place)
        effect, _ = page_effects(curve, rows, fps, place, even, believed, _ANYTHING, noise)
        self.noise_ = noise
        self.spread_ = max(robust_spread(effect - believed), LEAST_SPREAD)
        off, follows = log_fps - said.log_fps, curve.sensitivity(said.log_rate)
        self.doubt_ = fit_doubt(off, follows)
        self.quantiles_ = row_quantiles(np.abs(off) / doubt(self.doubt_, follows), place, _LEVELS)
        run = _throttled(rows.capacity, place)
        known, left = page_effects(
            curve, rows.select(run), fps[run], place[run], even[run], believed, self.spread_, noise
        )
        rest = np.delete(np.arange(len(fps)), run)
        self.quantiles_after_ = self.quantiles_
        if len(rest):
            others, effect = rows.select(rest), known[place[rest]]
            off = np.abs(log_fps[rest] - curve.log_frames(others, effect))
            unsure = self._unsure(curve, curve.log_rate(others, effect), left[place[rest]])
            self.quantiles_after_ = row_quantiles(off / unsure, place[rest], _LEVELS)
        return self

    def half_width(
        self, curve: FrameCurve, log_rate: np.ndarray, share: float, spread: float | None = None
    ) -> np.ndarray:
        """Return how far the logarithm may be off for a share of pages, shape (n_samples,).

        Args:
            log_rate: see ``FrameCurve.log_rate``.
            spread: of the page's effect after runs of it; ``None``: there were none.

        Raises:
            ValueError: a share that is none.
        """
        if not 0 < share < 1:
            raise ValueError(f"alpha is {1 - share:g}; it must lie between 0 and 1")
        quantiles = self.quantiles_ if spread is None else self.quantiles_after_
        return np.interp(share, _LEVELS, quantiles) * self._unsure(curve, log_rate, spread)

    def _unsure(
        self, curve: FrameCurve, log_rate: np.ndarray, spread: float | np.ndarray | None
    ) -> np.ndarray:
        follows = curve.sensitivity(log_rate)
        if spread is None:
            return doubt(self.doubt_, follows)
        return np.hypot(self.doubt_[0], np.hypot(self.noise_[1], spread) * follows)


def _throttled(capacity: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return one row of each page: the one whose capacity is nearest to that of a throttled run."""
    order = np.lexsort((np.abs(np.log(capacity / _SLOW)), place))
    first: np.ndarray = order[np.unique(place[order], return_index=True)[1]]
    return first
