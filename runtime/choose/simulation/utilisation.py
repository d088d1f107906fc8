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
_ON_TICK = 1e-9  # ticks: a crossing this little after one is rounding, and seen there
_UTIL_EST_WEIGHT = 0.25  # UTIL_EST_WEIGHT_SHIFT 2


class Schedutil(ClusterGovernor):
    """Lowest clock at or above 1.25 * f_max * util / capacity; PELT with a half-life of 32 ms.

    It looks at every tick. As the utilisation goes straight towards the capacity that runs, the tick at which
    it asks for another clock is known beforehand, and the ticks before are not simulated.
    """

    name = "schedutil"

    def __init__(self, platform: Platform, cluster: int | None = None):
        super().__init__(platform, cluster)
        self.platform = platform
        self.ladder = _Ladder(platform, self.points)

    def begin(self, lanes: Lanes) -> None:
        super().begin(lanes)
        self.util = np.zeros(len(lanes.opp))

    def advance(self, lanes: Lanes, duration_ms: np.ndarray) -> None:
        running_at = np.where(lanes.running, self.platform.capacity[lanes.opp], 0.0)
        remembered = 0.5 ** (duration_ms / PELT_HALF_LIFE_MS)
        self.util = running_at + (self.util - running_at) * remembered

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        self.choose(lanes, mask)

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        self.choose(lanes, mask)

    def choose(self, lanes: Lanes, mask: np.ndarray) -> None:
        """Set the clock for the utilisation of now."""
        step = self.ladder.step(self.util)
        lanes.wanted = np.where(mask, self.points[step], lanes.wanted)
        self.sleep(lanes, mask, self.ladder.above[step], self.ladder.up_to[step])

    def sleep(self, lanes: Lanes, mask: np.ndarray, above: np.ndarray, up_to: np.ndarray) -> None:
        """Wake at the first tick at which the utilisation has left the range in which the choice stays."""
        toward = self.platform.capacity[lanes.wanted]
        rises = toward > self.util
        limit = np.where(rises, up_to, above)
        leaves = np.where(rises, toward > up_to, toward < above)
        with np.errstate(divide="ignore", invalid="ignore"):
            until_ms = PELT_HALF_LIFE_MS * np.log2((self.util - toward) / (limit - toward))
        ticks = np.maximum(np.ceil(np.where(leaves, until_ms, np.inf) / TICK_MS - _ON_TICK), 1.0)
        lanes.timer_ms = np.where(mask, lanes.now_ms + ticks * TICK_MS, lanes.timer_ms)


class _Ladder:
    """Which of a cluster's clocks schedutil asks for, by the utilisation of one task.

    Attributes:
        points: the cluster's, slowest first.
        top: capacity of the fastest.
        above, up_to: utilisation for which each step is asked for.
    """

    def __init__(self, platform: Platform, points: np.ndarray):
        self.points, self.top = points, float(platform.capacity[points[-1]])
        khz = platform.freq_khz[points].astype(float)
        limits = khz[:-1] / khz[-1] * self.top / HEADROOM - platform.background
        self.up_to = np.append(limits, np.inf)
        self.above = np.append(-np.inf, limits)

    def step(self, util: np.ndarray) -> np.ndarray:
        """Return the number of the lowest clock that is enough for ``util``."""
        return np.searchsorted(self.up_to, util - 1e-6)


class EnergyAware(Schedutil):
    """Where a task wakes, the cluster in which it fits that costs least; schedutil sets the clock.

    A task fits where util * 1.25 < capacity. Its cost is power(f) * util / capacity(f) at the clock f
    that schedutil would choose there. A running task that outgrows its cluster is moved up at a tick.
    """

    name = "eas"

    def __init__(self, platform: Platform):
        super().__init__(platform)
        clusters = [platform.of_cluster(number) for number in range(len(platform.cluster_names))]
        self.ladders = [_Ladder(platform, points) for points in clusters if points.size]
        self.tops = np.array([ladder.top for ladder in self.ladders])
        self.biggest = int(np.argmax(self.tops))

    def begin(self, lanes: Lanes) -> None:
        super().begin(lanes)
        self.estimate = np.zeros(len(lanes.opp))  # util_est: utilisation at the last sleeps
        self.place = np.full(len(lanes.opp), self.biggest)

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        util = np.maximum(self.util, self.estimate)
        costs = np.stack([self._cost(ladder, util) for ladder in self.ladders], axis=1)
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
        above, up_to = np.full(len(util), -np.inf), np.full(len(util), np.inf)
        for number, ladder in enumerate(self.ladders):
            placed = mask & (self.place == number)
            if placed.any():
                step = ladder.step(util)
                lanes.wanted = np.where(placed, ladder.points[step], lanes.wanted)
                outgrown = np.inf if number == self.biggest else ladder.top / HEADROOM
                above = np.where(placed, ladder.above[step], above)
                up_to = np.where(placed, np.minimum(ladder.up_to[step], outgrown), up_to)
        above = np.where(above < self.estimate, -np.inf, above)  # the estimate keeps the clock up
        self.sleep(lanes, mask, above, up_to)

    def _cost(self, ladder: _Ladder, util: np.ndarray) -> np.ndarray:
        point = ladder.points[ladder.step(util)]
        return np.asarray(self.platform.power_mw[point] * util / self.platform.capacity[point])
