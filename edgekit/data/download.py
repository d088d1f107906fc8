"""Downloads that are checked by sha256 and appear whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from runtime.bundle.staging import staging_file
from runtime.errors import DataError

TIMEOUT_S = 30


def cache_folder(name: str, kind: str = "data") -> Path:
    """Return where the files of ``name`` are kept: below ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "edgekit" / kind / name


def fetch(url: str, sha256: str, destination: Path) -> Path:
    """Return ``destination``, downloaded from ``url`` first unless it is there already.

    A file that is already there was checked when it was downloaded, or was put there by hand.

    Raises:
        DataError: the download failed or has another sha256; the message says where to put the file by hand.
    """
    if destination.is_file():
        return destination
    by_hand = f"download it by hand and put it at {destination}"
    try:
        return save(lambda: urllib.request.urlopen(url, timeout=TIMEOUT_S), sha256, destination)
    except Changed as err:
        raise DataError(f"{url} {err}; {by_hand}") from err
    except OSError as err:  # URLError and TimeoutError are ones
        raise DataError(f"cannot download {url} ({err}); {by_hand}") from err


class Changed(Exception):
    """A file is not the one that was published."""


def save(open_source: Callable[[], IO[bytes]], sha256: str, destination: Path) -> Path:
    """Copy what ``open_source`` gives to ``destination``, which appears whole or not at all, and return it.

    Raises:
        Changed: it has another sha256.
        DataError: the folder cannot be written to.
        OSError: the source cannot be read, or the disk is full.
    """
    with contextlib.ExitStack() as stack:
        try:
            destination.parent.mkdir(parents=True, exist_ok=True)
            temporary, handle = stack.enter_context(staging_file(destination))
        except OSError as err:
            raise DataError(
                f"cannot write below {destination.parent} ({err}); make it writable or set XDG_CACHE_HOME"
            ) from err
        digest = hashlib.sha256()
        with os.fdopen(handle, "wb", closefd=False) as target, open_source() as source:
            while block := source.read(1 << 20):
                digest.update(block)
                target.write(block)
        if digest.hexdigest() != sha256:
            raise Changed(f"has sha256 {digest.hexdigest()}, expected {sha256}")
        temporary.chmod(0o644)
        temporary.replace(destination)
    return destination
