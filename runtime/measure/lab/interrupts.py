"""Let Ray's cancel end a job that waits in a system call.

``ray.cancel`` trips SIGINT in the worker without sending it (``_thread.interrupt_main``), so a job that
waits for a device would only notice when the device answers. Python writes tripped signals to the wake-up
descriptor; whoever reads it sends a real signal, and the wait ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

_AGAIN_S = 0.2  # the first signal may come just before the main thread goes to wait


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Make a tripped SIGINT end waits inside the block; only in the main thread, else nothing is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    is_over = threading.Event()
    waiter = threading.get_ident()

    def nudge() -> None:
        while tripped := os.read(reader, 1):
            while tripped[0] == signal.SIGINT and not is_over.is_set():
                signal.pthread_kill(waiter, signal.SIGUSR1)
                is_over.wait(_AGAIN_S)

    before = signal.signal(signal.SIGUSR1, lambda signum, frame: None)
    before_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread = threading.Thread(target=nudge, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        signal.set_wakeup_fd(before_fd)
        os.close(writer)
        thread.join()
        os.close(reader)
        signal.signal(signal.SIGUSR1, before)
