"""One governor per machine and user: the error of the second names the first."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import DeviceTransientError, PermissionNeeded


@contextlib.contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file ``path`` inside the block; the kernel releases it however this process ends.

    Args:
        what: this governor serves, for the error of the second.

    Raises:
        DeviceTransientError: another process holds it; it is named.
        PermissionNeeded: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as err:
        raise PermissionNeeded(
            f"cannot lock {path} ({err.strerror}); set XDG_STATE_HOME to a folder that is writable"
        ) from err
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            first = os.pread(lock, 4096, 0).decode(errors="replace").strip() or "one that says nothing"
            raise DeviceTransientError(
                f"a governor is running already: {first}; use that one, or stop it first"
            ) from err
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"process {os.getpid()}, {what}".encode(), 0)
        yield
    finally:
        os.close(lock)
