"""Repair a machine after a process that held its clocks was killed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.device.actuators.cgroup import write_group
from runtime.device.actuators.cpufreq import write_state
from runtime.device.actuators.journal import Entry, Journal
from runtime.device.actuators.states import PolicyState, State, ThreadsState
from runtime.device.actuators.threads_left import release_threads
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
    """Restore what killed processes left changed on this machine, and forget it.

    Where several were killed one after the other, the state from before the first of them stays.
    What cannot be restored stays noted, and keeps nothing else from being restored. What was noted
    about other machines is left alone; see ``runtime.targets.restoring``.

    Args:
        journal: default: this user's.
        dry_run: only say what would be done.
        pid: only what this process left.

    Raises:
        DataError: the journal is damaged.
        PermissionNeeded: /sys is not writable.
        DeviceError: the machine does not take the old state any more.

    Example:
        >>> for done in restore():                      # doctest: +SKIP
        ...     print(done.state.thing, done.action)
    """
    journal = journal or Journal()
    entries = [(path, entry) for path, entry in journal.entries() if entry.device is None]
    return settle(journal, entries, restore_entry, dry_run=dry_run, pid=pid)


def settle(
    journal: Journal,
    entries: Sequence[tuple[Path, Entry]],
    restore_one: Callable[[Entry], bool],
    *,
    dry_run: bool = False,
    pid: int | None = None,
) -> list[Restored]:
    """Restore what these ``entries`` of the journal note, and forget them.

    Args:
        restore_one: brings an entry's state back; ``False`` if the device was restarted since, so that there
            is nothing to do.
        dry_run, pid: as ``restore`` takes them.

    Raises:
        EdgekitError: the first of what ``restore_one`` raised, after all entries were tried.
    """
    done, failures = [], []
    for path, entry in entries:
        if pid is not None and entry.pid != pid:
            continue
        try:
            done.append(
                Restored(entry.state, _settle(journal, path, entry, restore_one, dry_run), entry.device)
            )
        except EdgekitError as err:
            failures.append(err)
    if failures:
        raise failures[0]
    return done


def restore_entry(entry: Entry) -> bool:
    """Bring back a state of this machine, and return whether there was any need to.

    Raises:
        PermissionNeeded: /sys is not writable.
        DeviceError: the machine does not take the old state any more.
    """
    if not entry.is_of_this_boot:
        return False
    state = entry.state
    if isinstance(state, ThreadsState):
        return release_threads(state)
    if isinstance(state, PolicyState):
        write_state(state)
    else:
        write_group(state)
    return True


def _settle(
    journal: Journal, path: Path, entry: Entry, restore_one: Callable[[Entry], bool], dry_run: bool
) -> str:
    if entry.is_owner_alive:
        return f"left alone: process {entry.pid} still runs and will restore it"
    if dry_run:
        return "would restore"
    with Journal(journal.folder, entry.device).claim(entry.state.thing):
        is_back = restore_one(entry)
    path.unlink(missing_ok=True)
    if not is_back and (entry.is_of_this_boot or isinstance(entry.state, ThreadsState)):
        return "nothing to do: the process has ended"
    what = "machine" if entry.device is None else "phone"
    return "restored" if is_back else f"nothing to do: the {what} was restarted since"
