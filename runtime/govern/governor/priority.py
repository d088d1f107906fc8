"""The scheduler is told that clocks do not wait for what they are set for."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_NICE = -10  # of 19 to -20: before ordinary programs and a browser's display threads, behind realtime ones


@contextlib.contextmanager
def ahead_of_programs() -> Iterator[None]:
    """Run this thread before ordinary programs during the block, where that is allowed (setpriority(2))."""
    tid = threading.get_native_id()
    before = os.getpriority(os.PRIO_PROCESS, tid)
    try:
        os.setpriority(os.PRIO_PROCESS, tid, min(before, _NICE))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, tid, before)
