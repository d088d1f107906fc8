"""schedutil, and energy-aware placement on top of it.

Sources: Linux Documentation/scheduler/{schedutil,sched-energy,sched-capacity}.rst, kernel/sched/pelt.c,
cpufreq_schedutil.c, fair.c (find_energy_efficient_cpu, util_est_update, check_misfit). Left out: other
tasks' placement, the delay of a request, uclamp, and that kernels since 5.16 may skip clocks that
their energy model calls inefficient.
"""

from __future__ import annotations

import numpy as np

from runtime.choose.simulation.engine import Lanes
from runtime.choose.simulation.platform import Platform
from runtime.choose.simulation.sampling import ClusterGovernor
from runtime.device.soc.clock import HEADROOM, PELT_HALF_LIFE_MS

TICK_MS = 4.0  # HZ=250
_UTIL_EST_WEIGHT = 0.25  # UTIL_EST_WEIGHT_SHIFT 2


class Schedutil(ClusterGovernor):
    """Lowest clock at or above 1.25 * f_max * util / capacity; PELT with a half-life of 32 ms."""

    name = "schedutil"

    def __init__(self, platform: Platform, cluster: int | None = None):
        super().__init__(platform, cluster)
        self.platform = platform

    def begin(self, lanes: Lanes) -> None:
        super().begin(lanes)
        self.util = np.zeros(len(lanes.opp))
        lanes.timer_ms = lanes.now_ms + TICK_MS

    def advance(self, lanes: Lanes, duration_ms: np.ndarray) -> None:
        running_at = np.where(lanes.running, self.platform.capacity[lanes.opp], 0.0)
        remembered = 0.5 ** (duration_ms / PELT_HALF_LIFE_MS)
        self.util = running_at + (self.util - running_at) * remembered

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        lanes.timer_ms = np.where(mask, lanes.now_ms + TICK_MS, lanes.timer_ms)
        self.choose(lanes, mask)

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        lanes.timer_ms = np.where(mask, lanes.now_ms + TICK_MS, lanes.timer_ms)
        self.choose(lanes, mask)

    def choose(self, lanes: Lanes, mask: np.ndarray) -> None:
        """Set the clock for the utilisation of now."""
        top = self.platform.capacity[self.points[-1]]
        util = self.util + self.platform.background
        self.set_points(lanes, self.at_or_above(HEADROOM * self.high_khz * util / top), mask)


class EnergyAware(Schedutil):
    """Where a task wakes, the cluster in which it fits that costs least; schedutil sets the clock.

    A task fits where util * 1.25 < capacity. Its cost is power(f) * util / capacity(f) at the clock f
    that schedutil would choose there. A running task that outgrows its cluster is moved up at a tick.
    """

    name = "eas"

    def __init__(self, platform: Platform):
        super().__init__(platform)
        self.ladders = [platform.of_cluster(number) for number in range(len(platform.cluster_names))]
        self.ladders = [ladder for ladder in self.ladders if ladder.size]
        self.tops = np.array([platform.capacity[ladder[-1]] for ladder in self.ladders])
        self.biggest = int(np.argmax(self.tops))

    def begin(self, lanes: Lanes) -> None:
        super().begin(lanes)
        self.estimate = np.zeros(len(lanes.opp))  # util_est: utilisation at the last sleeps
        self.place = np.full(len(lanes.opp), self.biggest)

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        util = np.maximum(self.util, self.estimate)
        costs = np.stack([self._cost(number, util) for number in range(len(self.ladders))], axis=1)
        fits = HEADROOM * util[:, None] < self.tops
        best = np.argmin(np.where(fits, costs, np.inf), axis=1)
        self.place = np.where(mask, np.where(fits.any(axis=1), best, self.biggest), self.place)
        super().start(lanes, mask)

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        util = np.maximum(self.util, self.estimate)
        misfit = mask & (HEADROOM * util >= self.tops[self.place])
        self.place = np.where(misfit, self.biggest, self.place)
        super().timer(lanes, mask)

    def finish(self, lanes: Lanes, mask: np.ndarray) -> None:
        slow = self.estimate + _UTIL_EST_WEIGHT * (self.util - self.estimate)
        self.estimate = np.where(mask, np.where(self.util > self.estimate, self.util, slow), self.estimate)

    def choose(self, lanes: Lanes, mask: np.ndarray) -> None:
        util = np.maximum(self.util, self.estimate)
        for number in range(len(self.ladders)):
            placed = mask & (self.place == number)
            if placed.any():
                lanes.wanted = np.where(placed, self._point(number, util), lanes.wanted)

    def _point(self, number: int, util: np.ndarray) -> np.ndarray:
        ladder = self.ladders[number]
        khz = self.platform.freq_khz[ladder]
        asked_khz = HEADROOM * khz[-1] * (util + self.platform.background) / self.tops[number]
        return np.asarray(ladder[np.minimum(np.searchsorted(khz, asked_khz - 1e-6), len(ladder) - 1)])

    def _cost(self, number: int, util: np.ndarray) -> np.ndarray:
        point = self._point(number, util)
        return np.asarray(self.platform.power_mw[point] * util / self.platform.capacity[point])
