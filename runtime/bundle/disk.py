"""Files written whole or not at all; why a disk did not take one: how much is free, how much was needed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from runtime.bundle.staging import staging_file
from runtime.errors import BundleError

_FULL = (errno.ENOSPC, errno.EDQUOT)  # the disk, or the user's share of it


@contextlib.contextmanager
def writing(folder: Path, size_bytes: int) -> Iterator[None]:
    """Turn an ``OSError`` of the block, which writes ``size_bytes`` into ``folder``, into one of ours.

    Raises:
        BundleError: the disk is full, or ``folder`` cannot be written.
    """
    try:
        yield
    except OSError as err:
        if err.errno in _FULL:
            why = (
                f"the disk of {folder} is full: {size_bytes} bytes are needed, {_free_bytes(folder)} are free"
            )
            raise BundleError(f"{why}; make room or choose another place") from err
        why = err.strerror or str(err)
        raise BundleError(f"{folder} cannot be written ({why}); choose another place") from err


def write_atomic(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` so that a crash leaves the old file or the new one, never half of one.

    Raises:
        OSError: it cannot be written, or is a device, a pipe or a folder, which a file must not replace.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EEXIST, "is there and is no file; choose another place", str(path))
    with staging_file(path) as (temporary, handle):
        with os.fdopen(handle, "wb", closefd=False) as stream:
            stream.write(data)
            stream.flush()
            os.fsync(handle)
        temporary.chmod(0o644)
        temporary.replace(path)


def _free_bytes(folder: Path) -> int:
    while not os.path.lexists(folder):  # it may be a folder that could not even be made
        folder = folder.parent
    return shutil.disk_usage(folder).free
