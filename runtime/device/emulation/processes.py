"""What the kernel tells of the processes on an emulated machine, and of the host's cores they run on."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class HostProcesses:
    """Reads /proc.

    Args:
        apart: processes that are the machine itself and run none of its work.
        others: cores of the host that play no CPU: what is not pinned runs there.
    """

    def __init__(self, apart: Collection[int] = (), others: Collection[int] = ()):
        self._apart, self._others = {os.getpid(), *apart}, set(others)

    def times_s(self, name: str) -> tuple[float, float] | None:
        """Return how long the threads of ``PID``, or the thread ``PID:TID``, ran and waited for a core.

        ``None`` once it is gone.
        """
        pid, _, thread = name.partition(":")
        ran_ns = waited_ns = 0
        try:
            tids = [thread] if thread else os.listdir(f"/proc/{pid}/task")
            if len(tids) == 1 and _is_dead(pid):
                return None
        except (FileNotFoundError, ProcessLookupError):
            return None
        for tid in tids:
            try:
                with open(f"/proc/{pid}/task/{tid}/schedstat", "rb", buffering=0) as stream:
                    ran, waited, _ = stream.read(128).split()
            except (FileNotFoundError, ProcessLookupError):
                if thread:
                    return None
                continue  # one of many has ended
            ran_ns += int(ran)
            waited_ns += int(waited)
        return ran_ns / 1e9, waited_ns / 1e9

    def idle_s(self) -> dict[int, float]:
        """Return how long each core of the host has been idle (proc_stat(5): idle and iowait)."""
        found = {}
        for line in Path("/proc/stat").read_bytes().splitlines():
            name, *fields = line.split()
            if name[:3] == b"cpu" and name[3:].isdigit():
                found[int(name[3:])] = (int(fields[3]) + int(fields[4])) / _TICKS_PER_S
        return found

    def at_home_on(self, hosts: Collection[int], pids: Iterable[int]) -> Iterator[tuple[str, frozenset[int]]]:
        """Yield what may run on cores of ``hosts`` only, and on which: processes, and threads of ``pids``.

        What a pinned thread starts inherits its cores (sched_setaffinity(2)).
        """
        if self._others & set(hosts):
            return  # one core is all there is: nobody is at home on it
        by_thread = set(pids)
        for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
            if pid in self._apart:
                continue
            try:
                tids = os.listdir(f"/proc/{pid}/task") if pid in by_thread else [pid]
                for tid in map(int, tids):
                    cores = frozenset(os.sched_getaffinity(tid))
                    if cores <= set(hosts):
                        yield (f"{pid}:{tid}" if pid in by_thread else f"{pid}"), cores
            except OSError:
                continue  # it ended meanwhile


def _is_dead(pid: str) -> bool:
    """Return whether a process has ended and nobody has asked how (proc_pid_stat(5), state Z)."""
    with open(f"/proc/{pid}/stat", "rb", buffering=0) as stream:
        return stream.read(512).rpartition(b")")[2].split()[0] in (b"Z", b"X")
