"""The kernel's governors played in user space on an emulated phone, for benchmarks to compare with.

A core's busy share is read from schedstat of threads, where on an emulated machine what the slow clock
steals counts as waiting, so as busy. The kernel has the clock 1-2 ms sooner: these are its policies, not
their latency.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np

from runtime.choose import simulation
from runtime.device.actuators import CpuFreq
from runtime.device.actuators.cpufreq import TakenClock
from runtime.device.emulation.processes import HostProcesses
from runtime.device.soc import SocProfile, power_mw
from runtime.device.soc.clock import HEADROOM, PELT_HALF_LIFE_MS
from runtime.device.soc.profile import FULL_CAPACITY, Cluster


@contextlib.contextmanager
def performance(cpufreq: CpuFreq, cluster: Cluster) -> Iterator[None]:
    """Run a cluster at its highest clock."""
    with cpufreq.take(cpufreq.domain_of(cluster.cpus)) as clock:
        clock.set(cluster.opps[-1].freq_khz)
        yield


class Follower:
    """Follows what a process does on a cluster; enter it, then name the process."""

    period_s: float

    def __init__(self, cpufreq: CpuFreq, cluster: Cluster):
        self._cpufreq, self._cluster = cpufreq, cluster
        self.clocks_khz = [opp.freq_khz for opp in cluster.opps]
        self._pids: tuple[int, ...] = ()
        self._over = threading.Event()
        self.changes = 0

    def choose(self, busy: float, span_s: float, now_khz: int) -> int:
        """Return the clock after ``span_s`` of which the share ``busy`` was work, at ``now_khz``."""
        raise NotImplementedError

    @contextlib.contextmanager
    def following(self) -> Iterator[Follower]:
        """Set the cluster's clock inside the block."""
        with self._cpufreq.take(self._cpufreq.domain_of(self._cluster.cpus)) as clock:
            clock.set(self.clocks_khz[-1])
            thread = threading.Thread(target=self._follow, args=(clock,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self._over.set()
                thread.join()

    def follow(self, *pids: int) -> None:
        """Take these processes' busy time for the cluster's."""
        self._pids = pids

    def _follow(self, clock: TakenClock) -> None:
        before_runnable_s, before_s, now_khz = None, time.monotonic(), self.clocks_khz[-1]
        processes = HostProcesses()
        while not self._over.wait(self.period_s):
            times_s = [processes.times_s(str(pid)) for pid in self._pids]
            runnable_s = sum(map(sum, times_s)) if times_s and None not in times_s else None
            now_s = time.monotonic()
            span_s, before_s = now_s - before_s, now_s
            if runnable_s is None or before_runnable_s is None:
                before_runnable_s = runnable_s
                continue
            busy = min(1.0, (runnable_s - before_runnable_s) / span_s)
            before_runnable_s = runnable_s
            khz = self.choose(busy, span_s, now_khz)
            if khz != now_khz:
                clock.set(khz)
                now_khz = khz
                self.changes += 1


class Schedutil(Follower):
    """kernel/sched/cpufreq_schedutil.c: the lowest clock at or above 1.25 x f_max x util / capacity.

    util decays with PELT's half-life of 32 ms. Clocks are changed at most every 10 ms (``rate_limit_us`` of
    phones); the kernel decides on each wake-up and tick instead.
    """

    period_s = 0.01
    _util = 0.0

    def choose(self, busy: float, span_s: float, now_khz: int) -> int:
        highest_khz = self.clocks_khz[-1]
        kept = 0.5 ** (1e3 * span_s / PELT_HALF_LIFE_MS)
        self._util = kept * self._util + (1 - kept) * busy * now_khz / highest_khz
        asked_khz = HEADROOM * highest_khz * self._util
        return next((each for each in self.clocks_khz if each >= asked_khz), highest_khz)


class Interactive(Follower):
    """Android's, by the rules that are simulated too, on times that are measured."""

    period_s = simulation.Interactive.timer_rate_ms / 1e3

    def __init__(self, cpufreq: CpuFreq, cluster: Cluster):
        super().__init__(cpufreq, cluster)
        khz = np.array(self.clocks_khz, dtype=float)
        platform = simulation.Platform(
            cluster.name, (cluster.name,), np.zeros(len(khz), int), khz, khz, np.ones(len(khz)), int(khz[-1])
        )
        self._rules = simulation.Interactive(platform, 0)
        self._lane = simulation.Lanes.idle(platform, np.zeros(1))
        self._rules.begin(self._lane)

    def choose(self, busy: float, span_s: float, now_khz: int) -> int:
        self._lane.now_ms += 1e3 * span_s
        self._lane.busy_ms += 1e3 * span_s * busy
        self._rules.timer(self._lane, np.ones(1, dtype=bool))
        return self.clocks_khz[int(self._lane.wanted[0])]


def follower(governor: str, cpufreq: CpuFreq, cluster: Cluster) -> Follower:
    """Return the governor of that name, whoever chose its cluster: ``schedutil+eas`` is ``schedutil``."""
    kinds: dict[str, type[Follower]] = {"schedutil": Schedutil, "interactive": Interactive}
    return kinds[governor.partition("+")[0]](cpufreq, cluster)


def under_kernel(governor: str, cpufreq: CpuFreq, cluster: Cluster, command: Sequence[str]) -> int:
    """Run a command under a governor of the kernel's on one cluster and return the changes of its clock."""
    if governor == "performance":
        with performance(cpufreq, cluster):
            subprocess.run(command, check=True)
        return 0
    with (
        follower(governor, cpufreq, cluster).following() as following,
        subprocess.Popen(command) as child,
    ):
        following.follow(child.pid)
        status = child.wait()
    assert status == 0, status
    return following.changes


def energy_aware_cluster(profile: SocProfile, full_ms: float, period_ms: float) -> Cluster:
    """Return where EAS would wake a task: the cluster in which it fits that costs least.

    It fits where util * 1.25 < capacity (Documentation/scheduler/sched-capacity.rst).

    Args:
        full_ms: of a frame on the fastest core at its highest clock.
    """
    util = FULL_CAPACITY * full_ms / period_ms
    costs = {}
    for cluster in profile.clusters:
        if HEADROOM * util >= profile.capacity(cluster):
            continue
        clocks = [opp.freq_khz for opp in cluster.opps]
        khz = next(k for k in clocks if profile.capacity(cluster, k) >= HEADROOM * util or k == clocks[-1])
        costs[cluster.name] = power_mw(cluster, khz).power_mw * util / profile.capacity(cluster, khz)
    fastest = max(profile.clusters, key=profile.capacity)
    return profile.cluster(min(costs, key=lambda name: costs[name])) if costs else fastest
