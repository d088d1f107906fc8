"""CPU time of threads, read where they run: on this machine from /proc."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.device.sysfs import read_text


@dataclass(frozen=True)
class ThreadTime:
    """A thread, the name that it gave itself (the kernel keeps fifteen letters), and its CPU time so far."""

    pid: int
    tid: int
    name: str
    cpu_ms: float


# From processes to their threads; those of a process that is gone, or not to be seen, are left out.
ReadThreads = Callable[[Sequence[int]], list[ThreadTime]]


def read_threads(pids: Sequence[int]) -> list[ThreadTime]:
    """Return the threads of processes of this machine."""
    return [
        ThreadTime(
            pid, tid, (read_text(Path(f"/proc/{pid}/task/{tid}/comm")) or "").strip(), cpu_ms(pid, tid)
        )
        for pid in pids
        for tid in _threads(pid)
    ]


def cpu_ms(pid: int, tid: int) -> float:
    """Return the CPU time of a thread in ms; 0 where it ended."""
    return parse_schedstat(read_text(Path(f"/proc/{pid}/task/{tid}/schedstat")) or "")


def parse_schedstat(text: str) -> float:
    """Return the CPU time in ms that ``schedstat`` of proc_pid(5) counts in ns; 0 where it says nothing.

    Example:
        >>> parse_schedstat("2500000 81000 12")
        2.5
    """
    fields = text.split()
    return int(fields[0]) / 1e6 if fields and fields[0].isdecimal() else 0.0


def _threads(pid: int) -> Iterator[int]:
    try:
        yield from map(int, os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return
