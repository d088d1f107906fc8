"""The sha256 of files; ``hashlib.file_digest`` needs Python 3.11, and boards have 3.10."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO

_CHUNK_BYTES = 1 << 20


def file_sha256(path: Path) -> str:
    """Return the sha256 of what ``path`` holds, in hexadecimal."""
    with path.open("rb") as stream:
        return stream_sha256(stream)


def stream_sha256(stream: IO[bytes]) -> str:
    """Return the sha256 of what is left of an open file, in hexadecimal."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
