"""A small process that puts back what a thread held when its process ends without doing so.

Python runs signal handlers in the main thread only, so a signal can end the process while another
thread holds a clock. The guardian waits for the end of a pipe that closes however its owner ends:
``python -m runtime.device.actuators.guardian JOURNAL PID``.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from runtime.device.actuators.journal import Journal
from runtime.device.actuators.restore import restore
from runtime.errors import EdgekitError

_PATIENCE_S = 30.0  # the pipe closes a moment before the owner is gone, and with it its claim
_started: dict[tuple[int, Path], subprocess.Popen[bytes]] = {}
_lock = threading.Lock()


def guard(journal: Journal) -> None:
    """Have a guardian watch this process and ``journal``; one is enough, so later calls do nothing."""
    key = (psutil.Process().pid, journal.folder)
    with _lock:
        if key in _started:
            return
        home = Path(__file__).parents[3]
        _started[key] = subprocess.Popen(
            [sys.executable, "-m", "runtime.device.actuators.guardian", str(journal.folder), str(key[0])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=home,  # finds this very package
            start_new_session=True,  # Ctrl-C in the terminal is not for it
        )


def main(arguments: list[str]) -> None:
    """Wait for the owner's end, then put back what it left."""
    folder, pid = Path(arguments[0]), int(arguments[1])
    sys.stdin.buffer.read()
    until_s = time.monotonic() + _PATIENCE_S
    journal = Journal(folder)
    while time.monotonic() < until_s and any(entry.pid == pid for _, entry in journal.entries()):
        with contextlib.suppress(EdgekitError):  # it stays in the journal, and is tried again
            restore(journal, pid=pid)
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1:])
