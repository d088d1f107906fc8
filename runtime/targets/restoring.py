"""Repair a target, here or far away, after a process that held its clocks was killed."""

from __future__ import annotations

from runtime.device.actuators import Restored, restore
from runtime.targets.agent.target import AgentTarget
from runtime.targets.opening import open_target


def restore_target(name: str, *, dry_run: bool = False) -> list[Restored]:
    """Put back what killed runs left changed on the target ``name``; see ``device.actuators.restore``.

    Raises:
        ValueError: it is a target whose clocks no run changes.
    """
    if name == "local" or name.startswith("adb:"):  # what runs changed on phones is noted here too
        return restore(dry_run=dry_run)
    target = open_target(name)
    if not isinstance(target, AgentTarget):
        raise ValueError(
            f"target {name!r} keeps no clocks to put back; give local, adb:SERIAL or ssh:user@host"
        )
    with target:
        return target.restore(dry_run=dry_run)
