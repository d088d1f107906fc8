"""Where moved threads could run, noted so that a governor that is killed does not leave them on one core."""

from __future__ import annotations

from runtime.device.actuators.journal import started_s
from runtime.device.actuators.moving import Places, born_of, read_process, restore_places
from runtime.device.actuators.states import ThreadsState


def note_threads(places: Places) -> ThreadsState:
    """Return the state to go back to of threads that are going to be moved."""
    pids = {found[0] for tid in places.cpus if (found := read_process(tid)) is not None}
    return ThreadsState(
        {pid: started for pid in sorted(pids) if (started := started_s(pid)) is not None},
        {tid: tuple(sorted(cpus)) for tid, cpus in places.cpus.items()},
        {name: tuple(cpus) for name, cpus in places.pins.items()},
    )


def release_threads(state: ThreadsState) -> bool:
    """Let threads, and what they have started, run where they could before; return whether any is left.

    Raises:
        DeviceError, PermissionNeeded: as ``restore_places``.
    """
    alive = {pid for pid, started in state.started_s.items() if started_s(pid) == started}
    cpus = {tid: frozenset(own) for tid, own in state.cpus.items() if (read_process(tid) or (0,))[0] in alive}
    pins = {name: own for name, own in state.pins.items() if int(name.partition(":")[0]) in alive}
    if cpus:
        places = Places(cpus, pins)
        restore_places(places, born_of(places))
    return bool(cpus)
