"""fanotify(7): learn that a file was written, and refresh a file before somebody reads it.

That is what makes plain files behave as /sys does: whoever reads a value after a write sees what
came of it. An open waits until this process allows it; if this process dies, the kernel allows all.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import DeviceStableError

# include/uapi/linux/fanotify.h
_CLASS_CONTENT, _CLOEXEC, _NONBLOCK = 0x04, 0x01, 0x02
_MARK_ADD = 0x01
_CLOSE_WRITE, _OPEN_PERM, _EVENT_ON_CHILD = 0x08, 0x1_0000, 0x0800_0000
_ALLOW = 0x01
_EVENT = struct.Struct("=IBBHQii")
_RESPONSE = struct.Struct("=iI")
_AT_FDCWD = -100
_MOST_BYTES = 1 << 20  # of a file: a request to move some thousand threads


@dataclass(frozen=True)
class FileEvent:
    """A file was written and closed, or is about to be opened. ``fd`` reads and writes it unnoticed."""

    path: Path
    fd: int
    is_written: bool

    def read(self) -> str:
        """Return the file's text."""
        return os.pread(self.fd, _MOST_BYTES, 0).decode(errors="replace").strip()

    def write(self, text: str) -> None:
        """Replace the file's text."""
        data = f"{text}\n".encode()
        os.pwrite(self.fd, data, 0)
        os.ftruncate(self.fd, len(data))


class Notifier:
    """Events of the files directly in the folders that are watched.

    Raises:
        DeviceStableError: this kernel or process has no fanotify.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.fanotify_init(_CLASS_CONTENT | _CLOEXEC | _NONBLOCK, os.O_RDWR | os.O_CLOEXEC)
        if self._fd < 0:
            raise _error("start")

    def fileno(self) -> int:
        return int(self._fd)

    def watch(self, folder: Path) -> None:
        """Give events of the files in ``folder`` from now on. This process must not open them any more."""
        mask = ctypes.c_uint64(_CLOSE_WRITE | _OPEN_PERM | _EVENT_ON_CHILD)
        if self._libc.fanotify_mark(self._fd, _MARK_ADD, mask, _AT_FDCWD, os.fsencode(folder)) < 0:
            raise _error(f"watch {folder}")

    def events(self) -> Iterator[FileEvent]:
        """Yield what has happened; an open goes on when the next event is asked for."""
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return
        offset = 0
        while offset < len(data):
            length, _, _, _, mask, fd, _ = _EVENT.unpack_from(data, offset)
            offset += length
            if fd < 0:
                continue  # the queue overflowed: the readers see the state anyway
            try:
                path = Path(os.readlink(f"/proc/self/fd/{fd}"))
                yield FileEvent(path, fd, bool(mask & _CLOSE_WRITE))
            finally:
                if mask & _OPEN_PERM:
                    os.write(self._fd, _RESPONSE.pack(fd, _ALLOW))
                os.close(fd)

    def close(self) -> None:
        """Stop; opens that wait are allowed."""
        os.close(self._fd)


def _error(doing: str) -> DeviceStableError:
    why = os.strerror(ctypes.get_errno())
    return DeviceStableError(
        f"fanotify cannot {doing} ({why}); an emulated machine needs a kernel with "
        "CONFIG_FANOTIFY_ACCESS_PERMISSIONS, and root"
    )
