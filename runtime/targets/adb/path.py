"""Files of a phone's /sys behind the few methods of ``pathlib.Path`` that actuators use.

So ``CpuFreq``, written for this machine, holds the clocks of a phone too: same order of writes, same
reading back, same journal.
"""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import PurePosixPath

from runtime.targets.adb.shell import AdbShell, CommandFailed

_CODES = {
    "Permission denied": errno.EACCES,
    "Operation not permitted": errno.EPERM,
    "Read-only file system": errno.EROFS,
    "No such file or directory": errno.ENOENT,
    "Invalid argument": errno.EINVAL,
    "Device or resource busy": errno.EBUSY,
}


class AdbPath:
    """A path on the phone; reads and writes as root where the phone lets."""

    def __init__(self, shell: AdbShell, path: str | PurePosixPath, *, as_root: bool):
        self._shell, self._path, self._as_root = shell, PurePosixPath(path), as_root

    def __truediv__(self, name: str | os.PathLike[str]) -> AdbPath:
        return AdbPath(self._shell, self._path / os.fspath(name), as_root=self._as_root)

    def __str__(self) -> str:
        return str(self._path)

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self._path.name

    def exists(self) -> bool:
        """Return ``True``: ``write_text`` itself refuses to make a file, so that asking costs no call."""
        return True

    def read_text(self) -> str:
        """Return the file's content.

        Raises:
            OSError: it cannot be read.
            DeviceTransientError: the phone is gone.
        """
        return self._run(f"cat {shlex.quote(str(self))}")

    def write_text(self, value: str) -> None:
        """Write ``value`` at once, as /sys wants it; raises as ``read_text``."""
        path = shlex.quote(str(self))
        lacks = f"[ -e {path} ] || {{ echo {shlex.quote(os.strerror(errno.ENOENT))}; exit 1; }}"
        self._run(f"{lacks}; printf %s {shlex.quote(value)} > {path}")

    def _run(self, command: str) -> str:
        try:
            return self._shell.run(command, as_root=self._as_root)
        except CommandFailed as err:
            words = next((words for words in _CODES if words in err.output), None)
            code = errno.EIO if words is None else _CODES[words]
            raise OSError(code, words or err.output[-200:] or "failed", str(self)) from err
