"""CPU time: of each CPU, of one process, and time spent waiting for a CPU.

Documentation/filesystems/proc.rst of Linux (stat), Documentation/scheduler/sched-stats.rst
(schedstat), Documentation/accounting/psi.rst (pressure).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from runtime.device.sysfs import parse_int, read_text


@dataclass(frozen=True)
class CpuTime:
    """Seconds one CPU was busy for a task or an interrupt, and seconds it was held by a hypervisor."""

    busy_s: float
    steal_s: float


def read_cpu_times(root: Path = Path("/")) -> dict[int, CpuTime]:
    """Return the time of every CPU that is online; empty where ``/proc/stat`` cannot be read."""
    try:
        text = (root / "proc/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return {}
    return parse_stat(text, os.sysconf("SC_CLK_TCK"))


def parse_stat(text: str, ticks_per_s: int) -> dict[int, CpuTime]:
    """Return the time of every CPU in the text of ``/proc/stat``."""
    found = {}
    for line in text.splitlines():
        name, *fields = line.split()[:9] or [""]
        cpu, ticks = parse_int(name[3:]), [parse_int(field) for field in fields]
        known = [tick for tick in ticks if tick is not None and tick >= 0]
        if not name.startswith("cpu") or cpu is None or cpu < 0 or len(ticks) < 4 or len(known) < len(ticks):
            continue
        # user nice system idle iowait irq softirq steal; guest time is in user time already
        user, nice, system, _, _, irq, softirq, steal = (*known, 0, 0, 0, 0)[:8]
        busy = user + nice + system + irq + softirq
        found[cpu] = CpuTime(busy / ticks_per_s, steal / ticks_per_s)
    return found


def total(times: dict[int, CpuTime], cpus: Collection[int] | None = None) -> CpuTime | None:
    """Return the sum over ``cpus`` (default: all), ``None`` where one of them is not there."""
    chosen = times.keys() if cpus is None else cpus
    if not times or not all(cpu in times for cpu in chosen):
        return None
    return CpuTime(sum(times[cpu].busy_s for cpu in chosen), sum(times[cpu].steal_s for cpu in chosen))


def read_own_time_s(pid: int, root: Path = Path("/")) -> tuple[float, float] | None:
    """Return the seconds all threads of ``pid`` ran and stood in the queue; ``None`` if untold."""
    ran_ns, waited_ns, n_read = 0, 0, 0
    try:
        for task in (root / f"proc/{pid}/task").iterdir():
            try:
                fields = (task / "schedstat").read_text().split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # a thread that just ended, or a kernel without schedstat: then no thread has one
            ran_ns, waited_ns, n_read = ran_ns + int(fields[0]), waited_ns + int(fields[1]), n_read + 1
    except (OSError, ValueError, IndexError):
        return None  # not our process, or a format of another kernel
    return (ran_ns / 1e9, waited_ns / 1e9) if n_read else None


def read_pressure_s(root: Path = Path("/")) -> float | None:
    """Return the seconds in which some task waited for a CPU, ``None`` in a kernel without PSI."""
    text = read_text(root / "proc/pressure/cpu")
    return None if text is None else parse_pressure(text)  # kernels before 4.20, or psi=0: EOPNOTSUPP


def parse_pressure(text: str) -> float | None:
    """Return the total of the line ``some`` in seconds (the file has microseconds)."""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["some"]:
            totals = [parse_int(word[6:]) for word in words if word.startswith("total=")]
            return totals[0] / 1e6 if totals and totals[0] is not None else None
    return None
