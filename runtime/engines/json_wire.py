"""Messages as the native runner speaks them: a line of JSON, then the raw bytes of its arrays.

An array is ``{"dtype", "shape", "size_bytes"}`` in the line. Nothing else differs from ``messages``.
"""

from __future__ import annotations

from typing import IO, Any

import msgspec

from runtime.engines.etdump_frames import read_frames
from runtime.engines.messages import FramesProfiled, Message

_MAX_LINE_BYTES = 1 << 26


def write_json(stream: IO[bytes], message: Message) -> None:
    """Send one message."""
    head = msgspec.to_builtins(message, builtin_types=(bytes,))
    blobs = []
    for array in head.get("inputs", ()):
        blobs.append(array.pop("data"))
        array["size_bytes"] = len(blobs[-1])
    stream.write(msgspec.json.encode(head) + b"\n")
    for blob in blobs:
        stream.write(blob)
    stream.flush()


def read_json(stream: IO[bytes]) -> Message | None:
    """Return the next message, or ``None`` when the other side is gone or does not speak like this."""
    line = stream.readline(_MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        return None
    try:
        head = msgspec.json.decode(line, type=dict[str, Any])
        if head["type"] == "Dumped":
            return _profiled(_read(stream, head["size_bytes"]))
        if head["type"] == "Ran":
            for array in head["outputs"]:
                array["data"] = _read(stream, array.pop("size_bytes"))
        message: Message = msgspec.convert(head, Message)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, EOFError):
        return None
    return message


def _profiled(etdump: bytes) -> FramesProfiled:
    frames = read_frames(etdump)
    latencies_ns = tuple(latency_ns for latency_ns, _ in frames)
    return FramesProfiled(latencies_ns, tuple(tuple(ops) for _, ops in frames), ())


def _read(stream: IO[bytes], size_bytes: int) -> bytes:
    data = stream.read(size_bytes)
    if len(data) < size_bytes:
        raise EOFError
    return data
