"""Repair a machine, or a phone on its cable, after a process that held its clocks was killed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtime.device.actuators.cgroup import write_group
from runtime.device.actuators.cpufreq import write_state
from runtime.device.actuators.journal import Entry, Journal
from runtime.device.actuators.states import PolicyState, State
from runtime.errors import EdgekitError


@dataclass(frozen=True)
class Restored:
    """What was done about one entry of the journal: ``restored``, ``would restore`` or why not.

    ``device`` is the target whose clock it is, ``None`` for this machine.
    """

    state: State
    action: str
    device: str | None = None


def restore(
    journal: Journal | None = None, *, dry_run: bool = False, pid: int | None = None
) -> list[Restored]:
    """Put back what killed processes left changed, and forget it.

    Where several were killed one after the other, the state from before the first of them stays.
    What cannot be put back is noted still, and keeps nothing else from being put back.

    Args:
        journal: default: this user's.
        dry_run: only say what would be done.
        pid: only what this process left.

    Raises:
        DataError: the journal is damaged.
        PermissionNeeded: /sys is not writable.
        DeviceError: the machine does not take the old state any more, or the phone is not there.

    Example:
        >>> for done in restore():                      # doctest: +SKIP
        ...     print(done.state.thing, done.action)
    """
    journal = journal or Journal()
    done, failures = [], []
    for path, entry in journal.entries():
        if pid is not None and entry.pid != pid:
            continue
        try:
            done.append(Restored(entry.state, _settle(journal, path, entry, dry_run), entry.device))
        except EdgekitError as err:
            failures.append(err)
    if failures:
        raise failures[0]
    return done


def _settle(journal: Journal, path: Path, entry: Entry, dry_run: bool) -> str:
    if entry.is_owner_alive:
        return f"left alone: process {entry.pid} still runs and will restore it"
    if entry.device is None and not entry.is_of_this_boot:
        action = "nothing to do: the machine was restarted since"
    elif dry_run:
        return "would restore"
    elif entry.device is not None:
        assert isinstance(entry.state, PolicyState)  # of phones only clocks are noted
        from runtime.targets.adb.target import restore_clocks

        with Journal(journal.folder, entry.device).claim(entry.state.thing):
            is_back = restore_clocks(entry.device, entry.state, entry.boot_id)
        action = "restored" if is_back else "nothing to do: the phone was restarted since"
    else:
        with journal.claim(entry.state.thing):
            _put_back(entry.state)
        action = "restored"
    if not dry_run:
        path.unlink(missing_ok=True)
    return action


def _put_back(state: State) -> None:
    if isinstance(state, PolicyState):
        write_state(state)
    else:
        write_group(state)
