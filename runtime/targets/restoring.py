"""Repair a target, local or remote, after a process that held its clocks was killed."""

from __future__ import annotations

from runtime.device.actuators import Journal, Restored
from runtime.device.actuators.journal import Entry
from runtime.device.actuators.restore import restore_entry, settle
from runtime.device.actuators.states import PolicyState, ThreadsState
from runtime.targets.agent.target import AgentTarget
from runtime.targets.name import LOCAL, TargetName
from runtime.targets.opening import open_target


def restore_target(name: str, *, dry_run: bool = False) -> list[Restored]:
    """Restore what killed runs left changed on the target ``name``; see ``device.actuators.restore``.

    Raises:
        ValueError: it is a target whose clocks no run changes.
    """
    if TargetName.parse(name).kind in (LOCAL, "adb"):  # the journal of this machine notes its phones too
        return restore_noted(dry_run=dry_run)
    target = open_target(name)
    if not isinstance(target, AgentTarget):
        raise ValueError(
            f"target {name!r} keeps no clocks to restore; give local, adb:SERIAL or ssh:user@host"
        )
    with target:
        return target.restore(dry_run=dry_run)


def restore_noted(
    journal: Journal | None = None, *, dry_run: bool = False, pid: int | None = None
) -> list[Restored]:
    """Restore what killed processes left changed on this machine and on phones at its cables.

    Args, Raises: see ``runtime.device.actuators.restore``; a phone that is not there is a ``DeviceError``.
    """
    journal = journal or Journal()
    return settle(journal, journal.entries(), _restore_anywhere, dry_run=dry_run, pid=pid)


def _restore_anywhere(entry: Entry) -> bool:
    if entry.device is None:
        return restore_entry(entry)
    from runtime.targets.adb.target import restore_clocks  # needs devlib
    from runtime.targets.adb.threads import restore_threads

    if isinstance(entry.state, ThreadsState):
        return restore_threads(entry.device, entry.state, entry.boot_id)
    assert isinstance(entry.state, PolicyState)  # control groups of phones are left alone
    return restore_clocks(entry.device, entry.state, entry.boot_id)
