"""Policies that are told what ours has to guess: how work scatters, and each scene's level or none.

What ``Informed`` saves beyond ``Filtered`` is the price of not knowing the level, which nobody can avoid who
sees only the frames that are done; what ``Filtered`` saves beyond ours is what could be learnt better.
"""

from __future__ import annotations

import numpy as np

from runtime.choose.frame_policy import FramePolicy
from runtime.choose.frame_policy.belief import LEVELS, WorkBelief
from runtime.choose.frame_policy.scatter import Scatter
from runtime.choose.simulation import Frames, Platform
from runtime.choose.simulation.engine import Lanes
from tests.benchmarks.simulation.governed import Governed
from tests.benchmarks.simulation.workload import (
    HEAVY_FACTOR,
    HEAVY_SHARE,
    JITTER,
    SHARE_HIGH,
    SHARE_LOW,
)


class TrueScatter(Scatter):
    """The standard workload's own."""

    def density(self, ratio: np.ndarray) -> np.ndarray:
        """Return the probability density at ``ratio``."""
        parts = ((1 - self.heavy, 1.0), (self.heavy, HEAVY_FACTOR))
        bells = (
            share * np.exp(-0.5 * ((ratio / factor - 1) / self.spread) ** 2) / factor
            for share, factor in parts
        )
        return np.asarray(sum(bells) / (self.spread * np.sqrt(2 * np.pi)) + 1e-4)


class _Told:
    """Stands where a policy keeps what it believes."""

    def __init__(self, lanes: int):
        self.level = np.ones(lanes)
        self.spread = self.heavy = np.zeros(lanes, dtype=int)
        self.known = np.ones(lanes, dtype=bool)

    def observe(self, work: np.ndarray, lanes: np.ndarray) -> None:
        """Learn nothing."""


class _InformedPolicy(FramePolicy):
    def _scatter(self, spread: int, heavy: int) -> Scatter:
        return TrueScatter(JITTER, HEAVY_SHARE)


class Informed(Governed):
    """Our policy with ``levels``, the share of a period of each frame's scene, told."""

    policy_class = _InformedPolicy

    def __init__(self, platform: Platform, frames: Frames, levels: np.ndarray, miss_penalty: float):
        super().__init__(platform, frames.period_ms, miss_penalty=miss_penalty)
        self.name = f"informed at {miss_penalty:g}"
        self.levels = levels

    def begin(self, lanes: Lanes) -> None:
        super().begin(lanes)
        self.policy.belief = self.told = _Told(len(lanes.opp))

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        at = np.flatnonzero(mask)
        self.told.level[at] = self.levels[at, lanes.frame[at]]
        super().start(lanes, mask)


class _Filter(WorkBelief):
    """What the frames before make likely, by the standard workload's own distributions."""

    def __init__(self, lanes: int, period_ms: float):
        super().__init__(lanes, period_ms)
        scatter = TrueScatter(JITTER, HEAVY_SHARE).density(self.ratio)
        self._likelihood = np.broadcast_to(scatter, self._likelihood.shape)
        inside = (LEVELS >= SHARE_LOW) & (LEVELS <= SHARE_HIGH)
        self._first = inside / inside.sum()
        self._drift = 0.0
        self._chance[:] = self._first

    def _summarise(self, chance: np.ndarray, lanes: np.ndarray) -> None:
        super()._summarise(chance, lanes)
        self.spread[lanes] = self.heavy[lanes] = 0


class Filtered(Governed):
    """Our policy, told the true scatter and how scenes change, but no scene's level."""

    policy_class = _InformedPolicy

    def __init__(self, platform: Platform, period_ms: float, miss_penalty: float):
        super().__init__(platform, period_ms, miss_penalty=miss_penalty)
        self.name = f"filtered at {miss_penalty:g}"

    def begin(self, lanes: Lanes) -> None:
        super().begin(lanes)
        self.policy.belief = _Filter(len(lanes.opp), self.period_ms)
