"""The sha256 of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def file_sha256(file: Path | int) -> str:
    """Return the sha256 of what a file holds, in hexadecimal; ``hashlib.file_digest`` needs Python 3.11.

    Args:
        file: its path, or a descriptor at its beginning, which stays open.
    """
    digest = hashlib.sha256()
    with open(file, "rb", closefd=not isinstance(file, int)) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
