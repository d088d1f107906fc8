"""The socket that a governor listens on."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import DeviceStableError

_MOST_PATH = 107  # sizeof(sun_path) - 1


def listen(path: Path) -> socket.socket:
    """Return a socket at ``path`` that only this user may connect to; a stale one is replaced.

    Raises:
        DeviceStableError: there cannot be one.
    """
    if len(str(path).encode()) > _MOST_PATH:
        raise DeviceStableError(
            f"{path} is longer than {_MOST_PATH} bytes, which no socket may be; choose another"
        )
    if path.exists() and not path.is_socket():
        raise DeviceStableError(f"{path} is there and is no socket; choose another path")
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _masked():
            path.unlink(missing_ok=True)  # of a governor that was killed
            listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
    except OSError as err:
        listener.close()
        raise DeviceStableError(
            f"cannot listen at {path} ({err.strerror}); choose another with --socket"
        ) from err
    return listener


@contextlib.contextmanager
def _masked() -> Iterator[None]:
    """Let nobody else connect, not even between ``bind`` and ``chmod``."""
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)
