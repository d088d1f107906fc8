"""Files of meters below a folder, and a hand that moves them."""

import contextlib
import threading
import time


def write(root, files):
    """Write path → text (or bytes) below ``root``."""
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(value if isinstance(value, bytes) else f"{value}\n".encode())


class Clock:
    """A monotonic clock that moves when it is told to."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@contextlib.contextmanager
def ticking(step, period_s=0.002):
    """Call ``step(seconds since start)`` from a thread while the block runs, as hardware would."""
    ended, start_s = threading.Event(), time.monotonic()

    def run():
        while not ended.wait(period_s):
            step(time.monotonic() - start_s)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def replace_text(path, value):
    """Write as the kernel shows it: a reader never sees half a value."""
    other = path.with_name(path.name + ".new")
    other.write_text(f"{value}\n")
    other.replace(path)
