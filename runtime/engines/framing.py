"""Frames on a byte stream: 8 bytes of length, little-endian, and that many bytes."""

from __future__ import annotations

from typing import IO

_LENGTH_BYTES = 8
_MAX_BYTES = 1 << 32


def write_frame(stream: IO[bytes], data: bytes) -> None:
    """Send one frame."""
    stream.write(len(data).to_bytes(_LENGTH_BYTES, "little") + data)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Return the next frame, or ``None`` when the other side is gone or does not speak in frames."""
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    size_bytes = int.from_bytes(head, "little")
    if size_bytes > _MAX_BYTES:
        return None  # something else wrote into the pipe
    data = stream.read(size_bytes)
    return data if len(data) == size_bytes else None
