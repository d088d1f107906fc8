"""Change one thing of the machine for a while: noted on the disk first, restored whatever happens."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from runtime.device.actuators.journal import Journal
from runtime.device.actuators.signals import Signals, orderly_signals
from runtime.device.actuators.states import State
from runtime.device.child import module_command, module_environment

_guardians: dict[tuple[int, Path, str], subprocess.Popen[bytes]] = {}
_lock = threading.Lock()


@contextlib.contextmanager
def held(
    journal: Journal, thing: str, read: Callable[[], State], restore: Callable[[State], None]
) -> Iterator[Signals]:
    """Note how ``thing`` is, and restore it after the block. What a killed run left is restored first.

    Signals are held back when the block begins, so that none falls between the note and the block: call
    ``deliver`` on what is yielded, first thing.

    Args:
        read: how the thing is now.
        restore: brings it to a state.

    Raises:
        DeviceTransientError: another run holds it.
        PermissionNeeded: the journal cannot be written.
    """
    if threading.current_thread() is not threading.main_thread():
        guard(journal)
    with journal.claim(thing), orderly_signals() as signals:
        before, owed = None, None
        try:
            for left, entry in journal.left_behind(thing):
                restore(entry.state)
                left.unlink(missing_ok=True)
            before = read()
            signals.hold_back = True
            owed = journal.write(before)
            yield signals
        finally:
            signals.hold_back = True
            if before is not None and owed is not None:
                restore(before)
                owed.unlink(missing_ok=True)  # not reached when the state could not be restored


def guard(journal: Journal) -> None:
    """Have a guardian watch this process and ``journal``; one is enough, so later calls do nothing.

    Python runs signal handlers in the main thread only, so a signal can end the process while another
    thread holds a clock: the guardian, a process of its own, then restores it.
    """
    key = (psutil.Process().pid, journal.folder, journal.guardian)
    with _lock:
        if key not in _guardians:
            _guardians[key] = subprocess.Popen(
                module_command(journal.guardian, str(journal.folder), str(key[0])),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=module_environment(),
                start_new_session=True,  # Ctrl-C in the terminal is not for it
            )
