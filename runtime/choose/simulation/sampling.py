"""The kernel's governors that sample a load: ondemand, conservative, Android's interactive.

Sources: Linux drivers/cpufreq/cpufreq_governor.c (dbs_update), cpufreq_ondemand.c,
cpufreq_conservative.c; Android common kernel 4.4 drivers/cpufreq/cpufreq_interactive.c. Defaults are
those of the source. Left out: tunables away from their defaults, interactive's input boost.
"""

from __future__ import annotations

import numpy as np

from runtime.choose.simulation.engine import Lanes, SimGovernor
from runtime.choose.simulation.platform import Platform


class ClusterGovernor(SimGovernor):
    """A governor of one cluster's clock: by default of the cluster with the fastest point."""

    def __init__(self, platform: Platform, cluster: int | None = None):
        own = int(platform.cluster[platform.fastest]) if cluster is None else cluster
        self.points = platform.of_cluster(own)
        self.khz = platform.freq_khz[self.points].astype(float)
        self.low_khz, self.high_khz = float(self.khz[0]), float(self.khz[-1])

    def begin(self, lanes: Lanes) -> None:
        self.set_points(lanes, np.zeros(len(lanes.opp), dtype=int), np.ones(len(lanes.opp), dtype=bool))

    def set_points(self, lanes: Lanes, ladder: np.ndarray, mask: np.ndarray) -> None:
        """Ask for the steps ``ladder`` of the cluster's clocks in the lanes of ``mask``."""
        lanes.wanted = np.where(mask, self.points[ladder], lanes.wanted)

    def at_or_above(self, khz: np.ndarray) -> np.ndarray:
        """Return the step of the lowest clock at or above ``khz`` (CPUFREQ_RELATION_L)."""
        return np.minimum(np.searchsorted(self.khz, khz - 1e-6), len(self.khz) - 1)

    def at_or_below(self, khz: np.ndarray) -> np.ndarray:
        """Return the step of the highest clock at or below ``khz`` (CPUFREQ_RELATION_H)."""
        return np.maximum(np.searchsorted(self.khz, khz + 1e-6, side="right") - 1, 0)

    def closest(self, khz: np.ndarray) -> np.ndarray:
        """Return the step of the clock closest to ``khz``, the lower of two (CPUFREQ_RELATION_C)."""
        low, high = self.at_or_below(khz), self.at_or_above(khz)
        return np.where(khz - self.khz[low] <= self.khz[high] - khz, low, high)


class Performance(ClusterGovernor):
    """The highest clock."""

    name = "performance"

    def begin(self, lanes: Lanes) -> None:
        lanes.wanted = np.full(len(lanes.opp), self.points[-1])


class Powersave(ClusterGovernor):
    """The lowest clock."""

    name = "powersave"


class Sampling(ClusterGovernor):
    """Looks at the load since the last look, as dbs_update() does.

    load = 100 * (elapsed - idle) / elapsed. After an idle time of more than two periods the load of
    before is used once, so that a task that wakes does not find the lowest clock.
    """

    period_ms = 10.0

    def begin(self, lanes: Lanes) -> None:
        super().begin(lanes)
        count = len(lanes.opp)
        self.seen_ms, self.seen_busy_ms = lanes.now_ms.copy(), lanes.busy_ms.copy()
        self.previous_load = np.zeros(count)
        lanes.timer_ms = lanes.now_ms + self.period_ms

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        elapsed_ms = np.maximum(lanes.now_ms - self.seen_ms, 1e-9)
        idle_ms = elapsed_ms - (lanes.busy_ms - self.seen_busy_ms)
        fresh = np.clip(100.0 * (elapsed_ms - idle_ms) / elapsed_ms, 0.0, 100.0)
        long_idle = idle_ms > 2 * self.period_ms
        copied = long_idle & (self.previous_load > 0)
        load = np.where(copied, self.previous_load, fresh)
        self.previous_load = np.where(mask, np.where(copied, 0.0, fresh), self.previous_load)
        periods = np.where(long_idle, np.floor(idle_ms / self.period_ms), 0.0)
        self.seen_ms = np.where(mask, lanes.now_ms, self.seen_ms)
        self.seen_busy_ms = np.where(mask, lanes.busy_ms, self.seen_busy_ms)
        lanes.timer_ms = np.where(mask, lanes.now_ms + self.period_ms, lanes.timer_ms)
        self.update(lanes, mask, load, periods)

    def update(self, lanes: Lanes, mask: np.ndarray, load: np.ndarray, idle_periods: np.ndarray) -> None:
        """Choose a clock for ``load`` in percent."""
        raise NotImplementedError


class Ondemand(Sampling):
    """load > up_threshold -> highest; else min + load * (max - min) / 100, the closest clock."""

    name = "ondemand"

    def __init__(self, platform: Platform, cluster: int | None = None, up_threshold: float = 95.0):
        super().__init__(platform, cluster)
        self.up_threshold = up_threshold  # 80, or 95 where idle time is known to the microsecond

    def update(self, lanes: Lanes, mask: np.ndarray, load: np.ndarray, idle_periods: np.ndarray) -> None:
        khz = self.low_khz + load * (self.high_khz - self.low_khz) / 100.0
        khz = np.where(load > self.up_threshold, self.high_khz, khz)
        self.set_points(lanes, self.closest(khz), mask)


class Conservative(Sampling):
    """Steps of 5 % of the highest clock: up above a load of 80 %, down below 20 %."""

    name = "conservative"
    up_threshold, down_threshold, step_pct = 80.0, 20.0, 5.0

    def begin(self, lanes: Lanes) -> None:
        super().begin(lanes)
        self.requested_khz = np.full(len(lanes.opp), self.low_khz)

    def update(self, lanes: Lanes, mask: np.ndarray, load: np.ndarray, idle_periods: np.ndarray) -> None:
        step_khz = self.step_pct * self.high_khz / 100.0
        asked_khz = np.maximum(self.requested_khz - idle_periods * step_khz, self.low_khz)
        up = mask & (load > self.up_threshold)
        down = mask & (load < self.down_threshold)
        asked_khz = np.where(up, np.minimum(asked_khz + step_khz, self.high_khz), asked_khz)
        asked_khz = np.where(down, np.maximum(asked_khz - step_khz, self.low_khz), asked_khz)
        self.requested_khz = np.where(mask, asked_khz, self.requested_khz)
        self.set_points(lanes, self.at_or_below(asked_khz), up)
        self.set_points(lanes, self.at_or_above(asked_khz), down)


class Interactive(ClusterGovernor):
    """Android's: the lowest clock at which the load would be at most ``target_load``.

    Every 20 ms: load = busy clock cycles / elapsed, as % of the clock. At ``go_hispeed_load`` and
    above: the hispeed clock (the highest by default), or more. A step down waits until the clock was
    not needed for ``min_sample_ms``.
    """

    name = "interactive"
    timer_rate_ms, min_sample_ms, above_hispeed_delay_ms = 20.0, 80.0, 20.0
    go_hispeed_load, target_load = 99.0, 90.0

    def begin(self, lanes: Lanes) -> None:
        super().begin(lanes)
        self.hispeed_khz = self.high_khz
        self.target_khz = np.full(len(lanes.opp), self.low_khz)
        self.floor_khz = self.target_khz.copy()
        self.floor_since_ms = lanes.now_ms.copy()
        self.above_since_ms = lanes.now_ms.copy()
        self.window_ms = lanes.now_ms.copy()
        self.busy_ms = lanes.busy_ms.copy()
        lanes.timer_ms = lanes.now_ms + self.timer_rate_ms

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        now_ms = lanes.now_ms
        elapsed_ms = np.maximum(now_ms - self.window_ms, 1e-9)
        active = (lanes.busy_ms - self.busy_ms) * self.target_khz  # the clock changes at timers only
        load_khz = 100.0 * active / elapsed_ms  # loadadjfreq
        load = load_khz / self.target_khz
        wanted_khz = self.khz[self.at_or_above(load_khz / self.target_load)]
        high = load >= self.go_hispeed_load
        jump = high & (self.target_khz < self.hispeed_khz)
        wanted_khz = np.where(jump, self.hispeed_khz, wanted_khz)
        wanted_khz = np.where(high & ~jump, np.maximum(wanted_khz, self.hispeed_khz), wanted_khz)

        too_soon_up = (
            (self.target_khz >= self.hispeed_khz)
            & (wanted_khz > self.target_khz)
            & (now_ms - self.above_since_ms < self.above_hispeed_delay_ms)
        )
        self.above_since_ms = np.where(mask & ~too_soon_up, now_ms, self.above_since_ms)
        too_soon_down = (wanted_khz < self.floor_khz) & (now_ms - self.floor_since_ms < self.min_sample_ms)
        go = mask & ~too_soon_up & ~too_soon_down
        self.floor_khz = np.where(go, wanted_khz, self.floor_khz)
        self.floor_since_ms = np.where(go, now_ms, self.floor_since_ms)
        self.target_khz = np.where(go, wanted_khz, self.target_khz)
        self.window_ms = np.where(mask, now_ms, self.window_ms)
        self.busy_ms = np.where(mask, lanes.busy_ms, self.busy_ms)
        lanes.timer_ms = np.where(mask, now_ms + self.timer_rate_ms, lanes.timer_ms)
        self.set_points(lanes, self.at_or_above(self.target_khz), mask)
