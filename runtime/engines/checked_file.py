"""A model file that is still what was checked when it is loaded: opened once, hashed, handed over open.

Between the check of a bundle and the moment an engine opens its path, somebody could put another file there.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from runtime.bundle.digest import file_sha256
from runtime.errors import BundleError

_DESCRIPTORS = Path("/proc/self/fd")
# The kernel's clock for files moves in steps of up to 10 ms: what changed long ago changed before our look.
_SETTLED_NS = 1_000_000_000
_known: dict[tuple[int, ...], str] = {}  # hashes of files, by what changes with their bytes


@contextlib.contextmanager
def checked_file(path: str | Path, sha256: str | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the path to load the file by, and the descriptors that a child process must be given for it.

    Args:
        sha256: that it must have; ``None``: whatever it is, by its own path.

    Raises:
        BundleError: it cannot be opened, is no regular file, or was changed.
    """
    if sha256 is None:
        yield str(path), ()
        return
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as err:
        raise BundleError(f"{path} cannot be opened ({err.strerror}); open the bundle again") from err
    try:
        if _sha256_of(file, path) != sha256:
            raise BundleError(f"{path} was changed since it was checked; open the bundle again")
        if _DESCRIPTORS.is_dir():
            yield f"{_DESCRIPTORS}/{file}", (file,)
        else:
            yield str(path), ()
    finally:
        os.close(file)


def _sha256_of(file: int, path: str | Path) -> str:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode):
        raise BundleError(f"{path} is no regular file; copy or export the bundle again")
    look = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if look in _known:
        return _known[look]
    digest = file_sha256(file)
    if time.time_ns() - found.st_ctime_ns > _SETTLED_NS:
        _known[look] = digest
    return digest
