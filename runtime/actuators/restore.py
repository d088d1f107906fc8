"""Repair a machine after a process that held its clocks was killed."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.actuators.cpufreq import write_state
from runtime.actuators.journal import Entry, Journal, PolicyState


@dataclass(frozen=True)
class Restored:
    """What was done about one entry of the journal: ``restored``, ``would restore`` or why not."""

    state: PolicyState
    action: str


def restore(journal: Journal | None = None, *, dry_run: bool = False) -> list[Restored]:
    """Put back what killed processes left changed, and forget it.

    Args:
        journal: default: this user's.
        dry_run: only say what would be done.

    Raises:
        DataError: the journal is damaged.
        PermissionNeeded: /sys is not writable.
        DeviceError: the machine does not take the old state any more.

    Example:
        >>> for done in restore():                      # doctest: +SKIP
        ...     print(done.state.policy, done.action)
    """
    journal = journal or Journal()
    done = []
    for path, entry in journal.entries():
        action = _why_not(entry)
        if action is None:
            action = "would restore" if dry_run else "restored"
            if not dry_run:
                write_state(entry.state)
        if not dry_run and not entry.is_owner_alive:
            path.unlink()
        done.append(Restored(entry.state, action))
    return done


def _why_not(entry: Entry) -> str | None:
    if entry.is_owner_alive:
        return f"left alone: process {entry.pid} still runs and will restore it"
    if not entry.is_of_this_boot:
        return "nothing to do: the machine was restarted since"
    return None
