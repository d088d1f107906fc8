"""The kernel's governors played in user space on an emulated phone, for benchmarks to compare with.

schedutil as kernel/sched/cpufreq_schedutil.c has it: next clock = 1.25 x f_max x util / capacity, the lowest
clock at or above. util decays with PELT's half-life of 32 ms; a core's busy share is read every 10 ms from
schedstat of threads, where on an emulated machine what the slow clock steals counts as waiting, so as busy.
Clocks are changed at most every 10 ms (``rate_limit_us`` of phones). The kernel decides on each wake-up and
tick instead of each 10 ms, and it has the clock 1-2 ms sooner: this is its policy, not its latency.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence

from runtime.device.actuators import CpuFreq
from runtime.device.emulation.processes import HostProcesses
from runtime.device.soc import SocProfile, power_mw
from runtime.device.soc.clock import HEADROOM, PELT_HALF_LIFE_MS
from runtime.device.soc.profile import FULL_CAPACITY, Cluster

PERIOD_S = 0.01


@contextlib.contextmanager
def performance(cpufreq: CpuFreq, cluster: Cluster) -> Iterator[None]:
    """Run a cluster at its highest clock."""
    with cpufreq.take(cpufreq.domain_of(cluster.cpus)) as clock:
        clock.set(cluster.opps[-1].freq_khz)
        yield


class Schedutil:
    """Follows what a process does on a cluster; enter it, then name the process."""

    def __init__(self, cpufreq: CpuFreq, cluster: Cluster):
        self._cpufreq, self._cluster = cpufreq, cluster
        self._pids: tuple[int, ...] = ()
        self._over = threading.Event()
        self.changes = 0

    @contextlib.contextmanager
    def following(self) -> Iterator[Schedutil]:
        """Set the cluster's clock inside the block."""
        with self._cpufreq.take(self._cpufreq.domain_of(self._cluster.cpus)) as clock:
            clocks_khz = [opp.freq_khz for opp in self._cluster.opps]
            clock.set(clocks_khz[-1])
            thread = threading.Thread(target=self._follow, args=(clock, clocks_khz), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self._over.set()
                thread.join()

    def follow(self, *pids: int) -> None:
        """Take these processes' busy time for the cluster's."""
        self._pids = pids

    def _follow(self, clock: object, clocks_khz: Sequence[int]) -> None:
        util, before_runnable_s, before_s, now_khz = 0.0, None, time.monotonic(), clocks_khz[-1]
        processes = HostProcesses()
        while not self._over.wait(PERIOD_S):
            times_s = [processes.times_s(str(pid)) for pid in self._pids]
            runnable_s = sum(map(sum, times_s)) if times_s and None not in times_s else None
            now_s = time.monotonic()
            span_s, before_s = now_s - before_s, now_s
            if runnable_s is None or before_runnable_s is None:
                before_runnable_s = runnable_s
                continue
            busy = min(1.0, (runnable_s - before_runnable_s) / span_s)
            before_runnable_s = runnable_s
            kept = 0.5 ** (1e3 * span_s / PELT_HALF_LIFE_MS)
            util = kept * util + (1 - kept) * busy * now_khz / clocks_khz[-1]
            asked_khz = HEADROOM * clocks_khz[-1] * util
            khz = next((each for each in clocks_khz if each >= asked_khz), clocks_khz[-1])
            if khz != now_khz:
                clock.set(khz)  # type: ignore[attr-defined]
                now_khz = khz
                self.changes += 1


def under_kernel(
    governor: str, cpufreq: CpuFreq, cluster: Cluster, command: Sequence[str]
) -> tuple[int, int, str]:
    """Run a command under a governor of the kernel's on one cluster."""
    if governor == "performance":
        with performance(cpufreq, cluster):
            subprocess.run(command, check=True)
        return 0, 0, cluster.name
    with Schedutil(cpufreq, cluster).following() as follower, subprocess.Popen(command) as child:
        follower.follow(child.pid)
        status = child.wait()
    assert status == 0, status
    return follower.changes, 0, cluster.name


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
