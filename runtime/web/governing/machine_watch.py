"""What a machine does while a gesture lasts: where the page runs, its clock, and the energy so far."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from dataclasses import dataclass

from runtime.device.actuators import FreqDomain
from runtime.device.marker import find_marker, read_pinned
from runtime.errors import DeviceStableError, DeviceTransientError
from runtime.targets.local import LocalTarget

# Between two looks: three frames at 60 FPS. Each look reads a file per cluster and the meter's.
_LOOK_S = 0.05
_POWER_S = 0.1  # that a power is the mean of, at least; longer where the meter has no new value


@dataclass(frozen=True)
class Look:
    """The machine at one moment.

    Attributes:
        at_s: on the monotonic clock.
        cluster: that the page runs on; ``None``: on any.
        freq_khz: its clock; ``None``: not known.
        energy_mj: since the watch began; ``None``: nothing tells.
        updates: how often the meter had a new value by then.
    """

    at_s: float
    cluster: str | None
    freq_khz: int | None
    energy_mj: float | None
    updates: int


class MachineWatch:
    """Looks from a thread; enter it, and ask after.

    Args:
        pid: of the page's renderer.
    """

    def __init__(self, target: LocalTarget, pid: int):
        self._target, self._pid = target, pid
        self._meter = target.meter.found.meter
        self._domains: dict[str, FreqDomain] = {}
        for cluster in target.profile.clusters:
            with contextlib.suppress(DeviceStableError):  # it shows no clock
                self._domains[cluster.name] = target.cpufreq.domain_of(cluster.cpus)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="edgekit-watch", daemon=True)
        self.looks: list[Look] = []

    def __enter__(self) -> MachineWatch:
        self.looks.append(self._look())
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        self.looks.append(self._look())

    @property
    def energy_source(self) -> str:
        """Where energies come from, or why there are none."""
        if self._meter is None:
            return self._target.energy_note
        return f"{self._meter.about.provenance}: {self._meter.about.source}"

    def clocks(self, begin_s: float, end_s: float) -> tuple[tuple[float, str, int], ...]:
        """Return cluster and clock in kHz from when on they were seen, in s after ``begin_s``."""
        found: list[tuple[float, str, int]] = []
        for look in self.looks:
            if look.at_s > end_s or look.cluster is None or look.freq_khz is None:
                continue
            seen = max(look.at_s - begin_s, 0.0), look.cluster, look.freq_khz
            if found and seen[0] == 0.0:
                found.clear()  # of before the beginning the last counts
            if not found or found[-1][1:] != seen[1:]:
                found.append(seen)
        return tuple(found)

    def powers_mw(self, begin_s: float, end_s: float) -> tuple[tuple[float, float], ...]:
        """Return mean powers in mW, each from a time on, in s after ``begin_s``; empty: nothing tells."""
        found: list[tuple[float, float]] = []
        known = [look for look in self.looks if look.energy_mj is not None and look.at_s <= end_s + _LOOK_S]
        last = known[0] if known else None
        for before, look in itertools.pairwise(known):
            if before.at_s <= begin_s:
                last = before
            if last is None or look.updates == last.updates or look.at_s - last.at_s < _POWER_S:
                continue
            power_mw = ((look.energy_mj or 0.0) - (last.energy_mj or 0.0)) / (look.at_s - last.at_s)
            if look.at_s > begin_s:
                found.append((max(last.at_s - begin_s, 0.0), power_mw))
            last = look
        return tuple(found)

    def energy_mj(self, begin_s: float, end_s: float) -> float | None:
        """Return what was spent between two moments; ``None``: nothing tells, or not for so long."""
        ends = [self._energy_at(at_s) for at_s in (begin_s, end_s)]
        return None if ends[0] is None or ends[1] is None else ends[1] - ends[0]

    def _energy_at(self, at_s: float) -> float | None:
        for before, after in itertools.pairwise(self.looks):
            if before.at_s <= at_s <= after.at_s:
                if before.energy_mj is None or after.energy_mj is None:
                    return None
                share = (at_s - before.at_s) / max(after.at_s - before.at_s, 1e-9)
                return before.energy_mj + share * (after.energy_mj - before.energy_mj)
        return None

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            self.looks.append(self._look())

    def _look(self) -> Look:
        cluster = self._cluster()
        domain = self._domains.get(cluster or "")
        freq_khz = None if domain is None else self._target.cpufreq.read_khz(domain)
        energy_mj, updates = None, 0
        if self._meter is not None:
            with contextlib.suppress(DeviceTransientError):
                reading = self._meter.read()
                energy_mj, updates = reading.energy_mj, reading.updates
        return Look(time.monotonic(), cluster, freq_khz, energy_mj, updates)

    def _cluster(self) -> str | None:
        """Return the cluster that holds all CPUs that the renderer may run on."""
        try:
            if find_marker(self._target.root) is not None:
                cpus = set(read_pinned((self._pid,), self._target.root).get(str(self._pid), ()))
            else:
                cpus = os.sched_getaffinity(self._pid)
        except OSError:  # it has ended
            return None
        for cluster in self._target.profile.clusters:
            if cpus and cpus <= set(cluster.cpus):
                return cluster.name
        return None
