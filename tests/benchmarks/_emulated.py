"""What benchmarks on emulated phones share: a run inside of one, and what its clusters did meanwhile."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from runtime.device.actuators import CpuFreq
from runtime.device.emulation.machine import BUSY_IN_STATE
from runtime.device.meters import find_meter
from runtime.device.meters.residency import parse_time_in_state
from runtime.device.soc.power import rail_of
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.targets import Target

_LOOK_S = 0.05


def rows_inside(soc: str, benchmark: str, out: Path, given: Sequence[str]) -> list[dict[str, Any]]:
    """Run ``tests.benchmarks.BENCHMARK --inside OUT`` on an emulated ``soc``; return the rows it writes.

    Exits as the program does where that fails, which has said why.
    """
    again = [sys.executable, "-m", f"tests.benchmarks.{benchmark}", f"--inside={out}", *given]
    ran = subprocess.run([sys.executable, "-m", "runtime.device.emulation", soc, "--", *again])
    if ran.returncode:
        raise SystemExit(ran.returncode)
    return [{"soc": soc, **row} for row in msgspec.json.decode(out.read_bytes())]


@dataclass(frozen=True)
class Spent:
    """What the clusters did in a while.

    Attributes:
        work_s: done, in seconds of the fastest core at its highest clock: time busy at each clock, times how
            fast the profile says it is. The host's speed moves the time, and so the energy of a frame, from
            run to run; it does not move the energy of a second's work.
        busy_mj: what the work added to the device that stays awake.
        total_mj: as the meter counts it, idle clusters included.
    """

    work_s: float
    busy_mj: float
    total_mj: float
    span_s: float

    @property
    def busy_mj_per_work_s(self) -> float:
        """Energy of the work of a second of the fastest core."""
        return self.busy_mj / self.work_s

    @property
    def idle_mw(self) -> float:
        """Power of the device awake, without the work."""
        return (self.total_mj - self.busy_mj) / self.span_s


class Counters:
    """Looks at a machine's counters from a thread, to tell what was spent between any two moments."""

    def __init__(self, target: Target):
        found = find_meter(target.root, "hwmon").meter
        assert found is not None
        self._meter, self._over = found, threading.Event()
        cpufreq, profile = CpuFreq(target.root), target.profile
        self._files = [cpufreq.domain_of(cluster.cpus).path / BUSY_IN_STATE for cluster in profile.clusters]
        points = [(cluster, opp.freq_khz) for cluster in profile.clusters for opp in cluster.opps]
        self._power_mw = np.array([rail_of(cluster).work_mw(khz) for cluster, khz in points])
        self._speed = np.array([profile.capacity(cluster, khz) / FULL_CAPACITY for cluster, khz in points])
        self._times_s: list[float] = []
        self._counts: list[list[float]] = []
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Counters:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def between(self, begin_s: float, end_s: float) -> Spent:
        """Return what was spent between two moments of the monotonic clock."""
        begin, end = (self._at(moment_s) for moment_s in (begin_s, end_s))
        total_mj, *busy_s = end - begin
        return Spent(
            work_s=float(busy_s @ self._speed),
            busy_mj=float(busy_s @ self._power_mw),
            total_mj=float(total_mj),
            span_s=end_s - begin_s,
        )

    def _at(self, moment_s: float) -> np.ndarray:
        assert self._times_s[0] < moment_s < self._times_s[-1], (
            moment_s,
            self._times_s[:1],
            self._times_s[-1:],
        )
        return np.array(
            [np.interp(moment_s, self._times_s, each) for each in zip(*self._counts, strict=True)]
        )

    def _look(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._over.wait(_LOOK_S)
            busy_us = [us for path in self._files for us in parse_time_in_state(path.read_text()).values()]
            reading = self._meter.read()
            self._times_s.append(time.perf_counter())
            self._counts.append([reading.energy_mj, *(us / 1e6 for us in busy_us)])
