"""Say why a disk did not take a file: how much is free, how much was needed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

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


def _free_bytes(folder: Path) -> int:
    while not os.path.lexists(folder):  # it may be a folder that could not even be made
        folder = folder.parent
    return shutil.disk_usage(folder).free
