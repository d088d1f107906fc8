"""Frames on a byte stream: 8 bytes of length, little-endian, and that many bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

_LENGTH_BYTES = 8
MOST_BYTES = 1 << 30  # the tensors of a frame; what a phone runs has some MB
_NO_LENGTH = 1 << 40  # eight characters of text are more


class FrameTooLong(ValueError):
    """A frame is longer than what was asked for can be; nothing of it was read."""


def write_frame(stream: IO[bytes], data: bytes) -> None:
    """Send one frame."""
    stream.write(len(data).to_bytes(_LENGTH_BYTES, "little") + data)
    stream.flush()


def read_frame(stream: IO[bytes], most_bytes: Callable[[], int] | None = None) -> bytes | None:
    """Return the next frame, or ``None`` when the other side is gone or does not speak in frames.

    Args:
        most_bytes: how long a frame may be that comes now; asked once its length is known.

    Raises:
        FrameTooLong: it is longer than that.
    """
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    size_bytes = int.from_bytes(head, "little")
    if size_bytes > _NO_LENGTH:
        return None  # something else wrote into the pipe
    most = MOST_BYTES if most_bytes is None else most_bytes()
    if size_bytes > most:
        raise FrameTooLong(f"a frame of {size_bytes} bytes; at most {most} are due")
    data = stream.read(size_bytes)
    return data if len(data) == size_bytes else None
