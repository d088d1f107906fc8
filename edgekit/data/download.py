"""Downloads that are checked by sha256 and appear whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from runtime.errors import DataError

TIMEOUT_S = 30


def cache_folder(name: str) -> Path:
    """Return where the files of dataset ``name`` are kept: below ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "edgekit" / "data" / name


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
        destination.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{destination.name}.", dir=destination.parent)
    except OSError as err:
        raise DataError(
            f"cannot write below {destination.parent} ({err}); make it writable or set XDG_CACHE_HOME"
        ) from err
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as target, urllib.request.urlopen(url, timeout=TIMEOUT_S) as source:
            while block := source.read(1 << 20):
                digest.update(block)
                target.write(block)
        if digest.hexdigest() != sha256:
            raise DataError(f"{url} has sha256 {digest.hexdigest()}, expected {sha256}; {by_hand}")
        os.chmod(temporary, 0o644)
        os.replace(temporary, destination)
    except (urllib.error.URLError, TimeoutError, ConnectionError, OSError) as err:
        raise DataError(f"cannot download {url} ({err}); {by_hand}") from err
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    return destination
