"""Which CPUs this process may run on.

``sched_setaffinity`` moves only the calling thread; threads born later inherit it and older ones
stay where they are. So pin before a runtime builds its pool: in a fresh process, first thing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from runtime.device.marker import announce, announced_cpus, find_marker
from runtime.device.sysfs import parse_int, read_text
from runtime.errors import DeviceStableError, PermissionNeeded

_MOVE_PATIENCE_S = 0.5  # another emulated machine may have the core: a governor cannot wait a minute


def allowed_cpus() -> tuple[int, ...] | None:
    """Return the CPUs this thread may run on, or ``None`` where the system has no affinity.

    On an emulated machine these are its CPUs, not the host's.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    if (marker := find_marker()) is not None:
        return announced_cpus() or tuple(int(cpu) for cpu in marker.host_cpus)
    return _own_cpus()


def _own_cpus() -> tuple[int, ...]:
    return tuple(sorted(os.sched_getaffinity(0)))


def pin(cpus: Sequence[int]) -> None:
    """Let this thread, and threads it starts from now on, run on ``cpus`` only.

    On an emulated machine these are its CPUs: the thread goes to the host's cores that play them,
    which are as slow from now on.

    Raises:
        DeviceStableError: the system has no affinity, or grants other CPUs than asked
            (offline ones, or a cpuset that leaves them out), or cannot play so many at a time.
    """
    marker = find_marker()
    if marker is not None:
        hosts = marker.map(cpus)
        announce(cpus)
        cpus = hosts
    if not hasattr(os, "sched_setaffinity"):
        raise DeviceStableError("this system cannot pin threads to CPUs; run without a cluster")
    try:
        os.sched_setaffinity(0, cpus)
    except OSError as err:
        raise DeviceStableError(
            f"cannot pin to CPUs {list(cpus)} ({err.strerror}); allowed: {list(_own_cpus())}; "
            "bring them online or leave this process's cpuset"
        ) from err
    if set(cpus) != set(_own_cpus()):
        raise DeviceStableError(
            f"asked for CPUs {list(cpus)}, was given {list(_own_cpus())}; "
            "bring them online or leave this process's cpuset"
        )


def read_process(tid: int) -> tuple[int, int] | None:
    """Return the process of a thread and that one's parent, ``None`` where it is gone.

    ``Tgid`` and ``PPid`` of proc_pid_status(5).
    """
    text = read_text(Path(f"/proc/{tid}/status")) or ""
    found = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    numbers = [parse_int(found.get(name, "").strip()) for name in ("Tgid", "PPid")]
    return None if numbers[0] is None or numbers[1] is None else (numbers[0], numbers[1])


def move(tids: Sequence[int], cpus: Sequence[int]) -> None:
    """Let threads of other processes run on ``cpus`` only; threads that have ended are passed over.

    On an emulated machine their processes, or only the threads where a process's first one is not among
    them, also play those CPUs from now on.

    Raises:
        PermissionNeeded: a process is another user's.
        DeviceStableError: the system has no affinity, or the CPUs are not there.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise DeviceStableError("this system cannot pin threads to CPUs; run without a cluster")
    marker = find_marker()
    if marker is not None:
        hosts = marker.map(cpus)
        processes = {tid: found[0] for tid in tids if (found := read_process(tid)) is not None}
        names = {str(pid) if pid in tids else f"{pid}:{tid}" for tid, pid in processes.items()}
        for name in sorted(names):
            announce(cpus, name=name, patience_s=_MOVE_PATIENCE_S)
        cpus = hosts
    for tid in tids:
        try:
            os.sched_setaffinity(tid, cpus)
        except ProcessLookupError:
            continue
        except PermissionError as err:
            raise PermissionNeeded(
                f"thread {tid} may not be moved ({err.strerror}); run as its user, or as root"
            ) from err
        except OSError as err:
            raise DeviceStableError(
                f"cannot move thread {tid} to CPUs {list(cpus)} ({err.strerror}); bring them online"
            ) from err
