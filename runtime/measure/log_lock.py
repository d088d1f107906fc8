"""One process at a time measures into a log: the error of the second names the first."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from runtime.bundle.decoding import refuse_special
from runtime.errors import DataError, DeviceTransientError

_LOCKS = Path("/proc/locks")


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Lock the file ``path`` inside the block; the kernel releases it however this process ends.

    The lock is on the log itself, which every machine that shares the folder sees, and leaves no file
    behind: a log that is still empty at the end is removed.

    Raises:
        DeviceTransientError: another process holds it.
        DataError: the file system knows no locks, or a pipe, a device or a folder is there.
    """
    refuse_special(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _lock(path)
    try:
        yield
    finally:
        if os.fstat(lock).st_size == 0 and _is_at(lock, path):
            path.unlink()
        os.close(lock)


def _lock(path: Path) -> int:
    while True:
        lock = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            holder = _holder(os.fstat(lock).st_ino)
            os.close(lock)
            raise DeviceTransientError(
                f"{holder} is measuring into {path}; wait for it, or give this bench a file of its own with "
                "-o"
            ) from err
        except OSError as err:
            os.close(lock)
            raise DataError(
                f"{path} cannot be locked ({err.strerror}), so two benches could write into it at once; "
                "keep the records on a local disk with -o"
            ) from err
        if _is_at(lock, path):
            return lock
        os.close(lock)  # whoever had it replaced or removed the file meanwhile


def _is_at(lock: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False


def _holder(inode: int) -> str:
    """Return the process that holds the lock of a file, as far as the kernel shows it."""
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:  # 1: FLOCK  ADVISORY  WRITE 4711 fe:01:1234 0 EOF
        words = line.split()
        is_ours = len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode)
        if is_ours and int(words[4]) > 0:  # 0: a process of another container
            return f"process {words[4]}{_command(words[4])}"
    return "another process"


def _command(pid: str) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    shown = " ".join([Path(words[0]).name, *words[1:]]).strip()[:80]
    return f" ({shown})" if shown else ""
