"""How the work of a phase's frames scatters around its level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HEAVY_FROM, HEAVY_TO = 1.5, 2.6  # times the level: where heavy frames are expected, log-uniform
_ORDINARY_BINS, _HEAVY_BINS = 12, 6
_ORDINARY_SPAN = 2.6  # standard deviations on both sides
_GRID = np.geomspace(0.02, 12.0, 4000)


@dataclass(frozen=True)
class Scatter:
    """Ratio of a frame's work to its phase's level: a bell around 1, and some heavy frames.

    Attributes:
        spread: standard deviation of the bell.
        heavy: share of heavy frames.
    """

    spread: float
    heavy: float

    def density(self, ratio: np.ndarray) -> np.ndarray:
        """Return the probability density at ``ratio``, with a floor: nothing is impossible."""
        bell = np.exp(-0.5 * ((ratio - 1) / self.spread) ** 2) / (self.spread * np.sqrt(2 * np.pi))
        inside = (ratio >= HEAVY_FROM * (1 - self.spread)) & (ratio <= HEAVY_TO * (1 + self.spread))
        tail = inside / (ratio * np.log(HEAVY_TO * (1 + self.spread) / (HEAVY_FROM * (1 - self.spread))))
        return np.asarray((1 - self.heavy) * bell + self.heavy * tail + 1e-4)

    def bins(self) -> tuple[np.ndarray, np.ndarray]:
        """Return ratios at which a frame may end, rising, and the share of frames nearest to each."""
        low = max(1 - _ORDINARY_SPAN * self.spread, 0.1)
        ordinary = np.linspace(low, 1 + _ORDINARY_SPAN * self.spread, _ORDINARY_BINS)
        last = max(HEAVY_TO * (1 + self.spread), ordinary[-1] * 1.2)
        edges = np.concatenate([ordinary, np.linspace(ordinary[-1], last, _HEAVY_BINS + 1)[1:]])
        mass = (self.density(_GRID) - 1e-4) * np.gradient(_GRID)
        column = np.searchsorted((edges[1:] + edges[:-1]) / 2, _GRID)
        share = np.bincount(column, mass, minlength=len(edges))
        return edges, share / share.sum()
