"""Which CPUs this process may run on.

``sched_setaffinity`` moves only the calling thread; threads born later inherit it and older ones
stay where they are. So pin before a runtime builds its pool: in a fresh process, first thing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from runtime.device.marker import announce, announced_cpus, find_marker
from runtime.errors import DeviceStableError


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
