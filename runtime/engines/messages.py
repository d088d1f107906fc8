"""What an engine's worker process and its owner say to each other.

Each message is a frame of msgpack. Arrays travel as raw bytes with
dtype and shape; nothing is pickled, so neither side can be made to run code by the other.
"""

from __future__ import annotations

from typing import IO

import msgspec

from runtime.bundle.decoding import why
from runtime.engines.array import Array
from runtime.engines.engine import OpEvent
from runtime.engines.framing import MOST_BYTES, FrameTooLong, read_frame, write_frame
from runtime.engines.tflite_plan import ExecutionPlan


class Load(msgspec.Struct, tag=True, frozen=True):
    """Pin to ``cpus`` first, then load ``path`` with a pool of ``threads``."""

    engine: str
    path: str
    graph: str
    threads: int
    cpus: tuple[int, ...] | None
    with_profiler: bool = False


class Run(msgspec.Struct, tag=True, frozen=True):
    """Run one frame."""

    inputs: tuple[Array, ...]
    want_outputs: bool


class Sample(msgspec.Struct, tag=True, frozen=True):
    """Run ``warmup`` frames untimed, then ``runs`` timed ones: one every ``period_ns``; 0: back to back."""

    inputs: tuple[Array, ...]
    warmup: int
    runs: int
    period_ns: int = 0


class ProfileFrames(msgspec.Struct, tag="Profile", frozen=True):
    """Run ``warmup`` frames unseen, then ``runs`` under the profiler the model was loaded with."""

    inputs: tuple[Array, ...]
    warmup: int
    runs: int


class ReadPlan(msgspec.Struct, tag="TellPlan", frozen=True):
    """Return which ops of the file the delegate runs; runners of 0.1 know the request by this tag."""


class Loaded(msgspec.Struct, tag=True, frozen=True):
    """Answer to ``Load``: what the file wants, and what the worker was given.

    ``cpus`` is the affinity read back; ``None`` where the system has none. ``load_ns`` is what reading the
    file took, ``held_bytes`` the memory of the worker before it; runners built before these were asked for do
    not say.
    """

    inputs: tuple[tuple[str, str, tuple[int, ...]], ...]
    outputs: tuple[tuple[str, str, tuple[int, ...]], ...]
    cpus: tuple[int, ...] | None
    version: str
    load_ns: int | None = None
    held_bytes: int | None = None


class Ran(msgspec.Struct, tag=True, frozen=True):
    """Answer to ``Run``."""

    latency_ns: int
    outputs: tuple[Array, ...]


class Sampled(msgspec.Struct, tag=True, frozen=True):
    """Answer to ``Sample``. ``first_ns`` is the cold frame, ``None`` if it ran before this call.

    ``threads`` is how many threads the engine's pool was seen to have after the frames ran.
    """

    first_ns: int | None
    latencies_ns: tuple[int, ...]
    threads: int


class FramesProfiled(msgspec.Struct, tag="Profiled", frozen=True):
    """Answer to ``ProfileFrames``: the ops of each frame, and what ``ProfiledEngine.partitions`` says."""

    latencies_ns: tuple[int, ...]
    frames: tuple[tuple[OpEvent, ...], ...]
    partitions: tuple[tuple[int, ...], ...]


class Planned(msgspec.Struct, tag=True, frozen=True):
    """Answer to ``ReadPlan``."""

    plan: ExecutionPlan


class WorkerFailed(msgspec.Struct, tag="Failed", frozen=True):
    """The worker could not do it; ``missing_extra``: for want of a package, not because of the model."""

    message: str
    missing_extra: bool = False


Message = (
    Load
    | Run
    | Sample
    | ProfileFrames
    | ReadPlan
    | Loaded
    | Ran
    | Sampled
    | FramesProfiled
    | Planned
    | WorkerFailed
)
_DECODER = msgspec.msgpack.Decoder(Message)


class NoMessage(ValueError):
    """The other side says something that is no message, or none that is due."""


def write_message(stream: IO[bytes], message: Message) -> None:
    """Send one message."""
    write_frame(stream, msgspec.msgpack.encode(message))


def read_message(stream: IO[bytes], most_bytes: int = MOST_BYTES) -> Message | None:
    """Return the next message, or ``None`` when the other side is gone.

    Raises:
        NoMessage: it is none of these, or longer than ``most_bytes``.
    """
    try:
        data = read_frame(stream, lambda: most_bytes)
        message: Message | None = None if data is None else _DECODER.decode(data)
    except (FrameTooLong, msgspec.DecodeError, UnicodeError, RecursionError) as err:
        raise NoMessage(why(err)) from err
    return message
