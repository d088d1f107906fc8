"""Change one thing of the machine for a while: noted on the disk first, put back whatever happens."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from runtime.device.actuators.journal import Journal
from runtime.device.actuators.signals import Signals, orderly_signals
from runtime.device.actuators.states import State


@contextlib.contextmanager
def held(
    journal: Journal, thing: str, read: Callable[[], State], put_back: Callable[[State], None]
) -> Iterator[Signals]:
    """Note how ``thing`` is, and put it back after the block. What a killed run left is put back first.

    Signals are held back when the block begins, so that none falls between the note and the block: call
    ``deliver`` on what is yielded, first thing.

    Args:
        read: how the thing is now.
        put_back: brings it back to a state.

    Raises:
        DeviceTransientError: another run holds it.
        PermissionNeeded: the journal cannot be written.
    """
    if threading.current_thread() is not threading.main_thread():
        from runtime.device.actuators.guardian import guard

        guard(journal)
    with journal.claim(thing), orderly_signals() as signals:
        before, owed = None, None
        try:
            for left, entry in journal.left_behind(thing):
                put_back(entry.state)
                left.unlink(missing_ok=True)
            before = read()
            signals.hold_back = True
            owed = journal.write(before)
            yield signals
        finally:
            signals.hold_back = True
            if before is not None and owed is not None:
                put_back(before)
                owed.unlink(missing_ok=True)  # not reached when the state could not be put back
