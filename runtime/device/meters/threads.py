"""Where the threads of a process may run, and where each ran last (proc_pid_status(5), proc_pid_stat(5))."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from runtime.device.sysfs import parse_cpu_list, parse_int, read_text

_LAST_CPU = 36  # field 39, counted from after the name and its bracket


@dataclass(frozen=True)
class Thread:
    """One thread.

    Attributes:
        tid: its number.
        cpus: ``Cpus_allowed_list``; ``None`` where it is unknown.
        last_cpu: it ran on, likewise.
    """

    tid: int
    cpus: tuple[int, ...] | None
    last_cpu: int | None


def read_threads(pid: int, root: Path = Path("/")) -> tuple[Thread, ...]:
    """Return every thread of ``pid``; empty when the process is gone."""
    try:
        folders = sorted((root / f"proc/{pid}/task").iterdir(), key=lambda folder: folder.name)
    except OSError:
        return ()
    found = []
    for folder in folders:
        tid = parse_int(folder.name)
        status, stat = read_text(folder / "status"), read_text(folder / "stat")
        if tid is not None and status is not None and stat is not None:  # else it ended meanwhile
            found.append(Thread(tid, parse_allowed(status), parse_last_cpu(stat)))
    return tuple(found)


def misplaced(threads: Collection[Thread], cpus: Collection[int]) -> tuple[str, ...]:
    """Return what is wrong with threads that should keep to ``cpus``; empty when nothing is.

    Example:
        >>> misplaced([Thread(7, (0, 1, 2, 3), 2)], (2, 3))
        ('thread 7 may run on CPUs [0, 1, 2, 3], [2, 3] was asked',)
        >>> misplaced([Thread(7, (2, 3), 0)], (2, 3))
        ('thread 7 ran on CPU 0, [2, 3] was asked',)
    """
    found = []
    for thread in threads:
        if thread.cpus is not None and not set(thread.cpus) <= set(cpus):
            found.append(f"thread {thread.tid} may run on CPUs {list(thread.cpus)}, {sorted(cpus)} was asked")
        elif thread.last_cpu is not None and thread.last_cpu not in cpus:
            found.append(f"thread {thread.tid} ran on CPU {thread.last_cpu}, {sorted(cpus)} was asked")
    return tuple(found)


def parse_allowed(status: str) -> tuple[int, ...] | None:
    """Return ``Cpus_allowed_list`` of the text of ``/proc/PID/task/TID/status``."""
    for line in status.splitlines():
        if line.startswith("Cpus_allowed_list:"):
            return parse_cpu_list(line.partition(":")[2].strip())
    return None


def parse_last_cpu(stat: str) -> int | None:
    """Return field 39 of the text of ``/proc/PID/task/TID/stat``; the name in brackets may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return parse_int(fields[_LAST_CPU]) if len(fields) > _LAST_CPU else None
