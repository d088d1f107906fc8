"""Move threads of other processes: all of them, or none, and restore where they ran.

What a moved thread starts inherits its CPUs (sched_setaffinity(2)); what was started before it was moved, or
while others were, is looked for.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.device.marker import announce_all, find_marker, read_pinned
from runtime.device.sysfs import parse_int, read_text
from runtime.errors import DeviceStableError, EdgekitError, PermissionNeeded

_PATIENCE_S = 0.5  # another emulated machine may have the core: a governor cannot wait a minute
_MOST_PASSES = 5  # over processes whose every thread is moved, until none of them starts another meanwhile
_LISTED_S = 1.0  # ago, at most, threads were listed that somebody moves now
_BORN = 19  # field 22, counted from after the name and its bracket
_MOST_GENERATIONS = 64  # between a program and a process that it started; ends a walk through recycled pids


@dataclass(frozen=True)
class Places:
    """Where threads may run.

    Attributes:
        cpus: of each thread; on an emulated machine the host's.
        pins: on an emulated machine, its CPUs of each process and thread; none: it was pinned nowhere.
    """

    cpus: Mapping[int, frozenset[int]]
    pins: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def move(tids: Sequence[int], cpus: Sequence[int]) -> Places:
    """Let threads of any processes run on ``cpus`` only, all of them or none; return where they could before.

    Threads that have ended are passed over. Of a process whose every thread is among them, those that it
    starts meanwhile are moved, too.

    On an emulated machine their processes, or only the threads where a process's first one is not among
    them, also play those CPUs from now on.

    Raises:
        PermissionNeeded: a process is another user's; nothing was moved.
        DeviceStableError: the system has no affinity, or the CPUs are not there, or an emulated machine
            cannot play them beside what else runs; nothing was moved.
        DeviceTransientError: another emulated machine uses the host's core; nothing was moved.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise DeviceStableError("this system cannot pin threads to CPUs; run without a cluster")
    marker = find_marker()
    hosts = frozenset(cpus if marker is None else marker.map(cpus))
    places = read_places(tids)
    if marker is not None:
        processes = _processes_of(tids)
        announce_all({name: tuple(cpus) for name in _names(processes, tids)}, patience_s=_PATIENCE_S)
    moved: list[int] = []
    try:
        _move_all(tids, hosts, moved)
    except EdgekitError:
        done = {tid: before for tid, before in places.cpus.items() if tid in moved}
        restore_places(Places(done, places.pins), set(moved) - done.keys())
        raise
    return places


def read_places(tids: Sequence[int]) -> Places:
    """Return where threads may run now; those that have ended are left out."""
    cpus = {tid: found for tid in tids if (found := _affinity(tid)) is not None}
    if find_marker() is None:
        return Places(cpus)
    processes = _processes_of(tids)
    nowhere: dict[str, tuple[int, ...]] = dict.fromkeys(_names(processes, tids), ())
    return Places(cpus, nowhere | read_pinned(processes))


def restore_places(places: Places, born: Iterable[int] = ()) -> None:
    """Let threads run where they could before; those that have ended are passed over.

    Args:
        born: threads that the moved ones started: they may run where these could.

    Raises:
        DeviceError, PermissionNeeded: as ``move``; all that could be restored was.
    """
    failures: list[EdgekitError] = []
    every = frozenset().union(*places.cpus.values())
    for tid, cpus in {**dict.fromkeys(born, every), **places.cpus}.items():
        try:
            _set_affinity(tid, cpus)
        except EdgekitError as err:
            failures.append(err)
    if places.pins:
        announce_all(places.pins, patience_s=_PATIENCE_S)
    if failures:
        raise failures[0]


@contextlib.contextmanager
def pinned(cpus: Sequence[int]) -> Iterator[None]:
    """Keep this thread on ``cpus`` within the block; raises as ``move`` and ``restore_places``."""
    places = move((threading.get_native_id(),), cpus)
    try:
        yield
    finally:
        restore_places(places)


def born_of(places: Places) -> tuple[int, ...]:
    """Return the threads that moved threads, or processes of theirs, have started and that run where they do.

    Args:
        places: where the moved threads could run before.
    """
    now = {_affinity(tid) for tid, before in places.cpus.items() if _affinity(tid) != before} - {None}
    if not now:
        return ()
    pids = set(_processes_of(places.cpus))
    found = set()
    for pid in [*pids, *(pid for pid in _every_process() if pid not in pids)]:
        if pid in pids or (_affinity(pid) in now and descends(pid, pids)):
            found |= {tid for tid in _threads(pid) if _affinity(tid) in now}
    return tuple(sorted(found - places.cpus.keys()))


def family_of(pid: int) -> tuple[int, ...]:
    """Return the threads of a process and of all that it started; empty when it is gone."""
    pids = [other for other in _every_process() if other == pid or descends(other, (pid,))]
    return tuple(tid for each in pids for tid in sorted(_threads(each)))


def read_process(tid: int) -> tuple[int, int] | None:
    """Return the process of a thread and that one's parent, ``None`` where it is gone.

    ``Tgid`` and ``PPid`` of proc_pid_status(5).
    """
    found = _status(tid)
    numbers = [parse_int(found.get(name, "")) for name in ("Tgid", "PPid")]
    return None if numbers[0] is None or numbers[1] is None else (numbers[0], numbers[1])


def read_uid(tid: int) -> int | None:
    """Return the real user of a thread, ``None`` where it is gone; its folder may be root's all the same.

    A process that wants no dumps of itself, as a sandboxed renderer, has its files made root's (proc(5)).
    """
    return parse_int(_status(tid).get("Uid", "").partition("\t")[0])


def _status(tid: int) -> dict[str, str]:
    text = read_text(Path(f"/proc/{tid}/status")) or ""
    lines = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in lines}


def descends(tid: int, pids: Collection[int]) -> bool:
    """Return whether a thread is one of ``pids``, or of a process that they started."""
    for _ in range(_MOST_GENERATIONS):
        found = read_process(tid)
        if found is None:
            return False
        if found[0] in pids or found[1] in pids:
            return True
        tid = found[1]
    return False


def _move_all(tids: Collection[int], cpus: frozenset[int], moved: list[int]) -> None:
    """Move threads, and those that processes moved whole start meanwhile; note each in ``moved``."""
    whole = [pid for pid, its in _processes_of(tids).items() if _is_whole(pid, its, tids)]
    to_move: Collection[int] = tids
    for _ in range(_MOST_PASSES):
        for tid in to_move:
            _set_affinity(tid, cpus)
            moved.append(tid)
        to_move = {tid for pid in whole for tid in _threads(pid)} - {*moved}


def _is_whole(pid: int, its: Collection[int], tids: Collection[int]) -> bool:
    """Return whether ``tids`` are all threads of a process, but for those born since they were listed.

    Of one thread alone, that cannot be told from a choice.
    """
    given, others = {*its} & {*tids}, {*its} - {*tids}
    return not others or (
        len(given) > 1 and all(tid > max(given) and _age_s(pid, tid) < _LISTED_S for tid in others)
    )


def _age_s(pid: int, tid: int) -> float:
    """Return for how long a thread has been there (proc_pid_stat(5), field 22); one that has ended is new."""
    fields = (read_text(Path(f"/proc/{pid}/task/{tid}/stat")) or "").rpartition(")")[2].split()
    born = parse_int(fields[_BORN]) if len(fields) > _BORN else None
    return 0.0 if born is None else time.clock_gettime(time.CLOCK_BOOTTIME) - born / os.sysconf("SC_CLK_TCK")


def _set_affinity(tid: int, cpus: frozenset[int]) -> None:
    if _affinity(tid) in (None, cpus):
        return  # it has ended, or is there: undoing nothing needs no privilege
    try:
        os.sched_setaffinity(tid, cpus)
    except ProcessLookupError:
        return
    except PermissionError as err:
        raise PermissionNeeded(
            f"thread {tid} may not be moved ({err.strerror}); run as its user, or as root"
        ) from err
    except OSError as err:
        raise DeviceStableError(
            f"cannot move thread {tid} to CPUs {sorted(cpus)} ({err.strerror}); bring them online"
        ) from err


def _affinity(tid: int) -> frozenset[int] | None:
    try:
        return frozenset(os.sched_getaffinity(tid))
    except OSError:
        return None


def _processes_of(tids: Iterable[int]) -> dict[int, set[int]]:
    """Return the processes of threads, and all threads of each."""
    found: dict[int, set[int]] = {}
    for tid in tids:
        if not any(tid in its for its in found.values()) and (process := read_process(tid)) is not None:
            found[process[0]] = {*_threads(process[0])}
    return found


def _names(processes: Mapping[int, Collection[int]], tids: Sequence[int]) -> list[str]:
    """Return how an emulated machine calls what is moved: a process, or threads of it without the first."""
    names = [str(pid) for pid in processes if pid in tids]
    return names + [
        f"{pid}:{tid}" for pid, its in processes.items() if pid not in tids for tid in tids if tid in its
    ]


def _threads(pid: int) -> Iterator[int]:
    try:
        yield from map(int, os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return  # it has ended


def _every_process() -> Iterator[int]:
    yield from map(int, filter(str.isdecimal, os.listdir("/proc")))
