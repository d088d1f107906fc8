"""A policy that is told what ours has to guess: each scene's level and how work scatters around it."""

from __future__ import annotations

import numpy as np

from runtime.choose.frame_policy import FramePolicy
from runtime.choose.frame_policy.scatter import Scatter
from runtime.choose.simulation import Frames, Platform
from runtime.choose.simulation.engine import Lanes
from tests.benchmarks.simulation.governed import Governed
from tests.benchmarks.simulation.workload import HEAVY_FACTOR, HEAVY_SHARE, JITTER


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
