"""Messages as the native runner speaks them: a line of JSON, then the raw bytes of its arrays.

An array is ``{"dtype", "shape", "size_bytes"}`` in the line. Nothing else differs from ``messages``.
"""

from __future__ import annotations

from typing import IO, Any

import msgspec

from runtime.bundle.decoding import why
from runtime.engines.etdump_frames import read_frames
from runtime.engines.framing import MOST_BYTES
from runtime.engines.messages import FramesProfiled, Message, NoMessage

_MAX_LINE_BYTES = 1 << 26
_NO_MESSAGE = (
    OverflowError,
    msgspec.DecodeError,
    UnicodeError,
    RecursionError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
)


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


def read_json(stream: IO[bytes], most_bytes: int = MOST_BYTES) -> Message | None:
    """Return the next message, or ``None`` when the other side is gone.

    Raises:
        NoMessage: it is none of these, or longer than ``most_bytes``.
    """
    line = stream.readline(min(most_bytes, _MAX_LINE_BYTES))
    if not line:
        return None
    try:
        head = msgspec.json.decode(line, type=dict[str, Any])
        msgspec.msgpack.encode(
            head
        )  # refuses integers of more than 64 bits, which msgpack's wire cannot have
        if head["type"] == "Dumped":
            return _profiled(_read(stream, head["size_bytes"], most_bytes))
        if head["type"] == "Ran":
            for array in head["outputs"]:
                size_bytes = array.pop("size_bytes")
                array["data"] = _read(stream, size_bytes, most_bytes)
                most_bytes -= size_bytes
        message: Message = msgspec.convert(head, Message)
    except EOFError:
        return None
    except _NO_MESSAGE as err:
        raise NoMessage(why(err)) from err
    return message


def _profiled(etdump: bytes) -> FramesProfiled:
    frames = read_frames(etdump)
    latencies_ns = tuple(latency_ns for latency_ns, _ in frames)
    return FramesProfiled(latencies_ns, tuple(tuple(ops) for _, ops in frames), ())


def _read(stream: IO[bytes], size_bytes: Any, most_bytes: int) -> bytes:
    if type(size_bytes) is not int or not 0 <= size_bytes <= most_bytes:
        raise ValueError(f"an array of {size_bytes!r} bytes; at most {most_bytes} are due")
    data = stream.read(size_bytes)
    if len(data) < size_bytes:
        raise EOFError
    return data
