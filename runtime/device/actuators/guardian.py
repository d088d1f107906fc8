"""A small process that restores what a thread held when its process ends without doing so.

It waits for the end of a pipe that closes however its owner ends:
``python -m runtime.device.actuators.guardian JOURNAL PID``, started by ``holding.guard``.
"""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import Protocol

from runtime.device.actuators.journal import Journal
from runtime.device.actuators.restore import Restored, restore
from runtime.errors import EdgekitError

_PATIENCE_S = 30.0  # the pipe closes a moment before the owner is gone, and with it its claim


class Restore(Protocol):
    """Restores what process ``pid`` left in ``journal``."""

    def __call__(self, journal: Journal, *, pid: int) -> list[Restored]: ...


def main(arguments: list[str], restore: Restore) -> None:
    """Wait for the owner's end, then restore what it left.

    Args:
        arguments: folder of the journal, and the owner's process ID.
    """
    folder, pid = Path(arguments[0]), int(arguments[1])
    sys.stdin.buffer.read()
    until_s = time.monotonic() + _PATIENCE_S
    journal = Journal(folder)
    while time.monotonic() < until_s and any(entry.pid == pid for _, entry in journal.entries()):
        with contextlib.suppress(EdgekitError):  # it stays in the journal, and is tried again
            restore(journal, pid=pid)
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1:], restore)
