"""What programs say to a governor: a line of JSON each way, an answer per request, a session per connection.

Modelled on Android's performance hints (ADPF, ``PerformanceHintManager.Session``): a target duration,
actual durations, a headroom. The client closes a session by closing the connection.
"""

from __future__ import annotations

import math

import msgspec

MOST_BYTES = 65536  # of a line: a session of some thousand threads
_MOST_TIDS = 4096
_MOST_NAME = 64
_MOST_PERIODS = 4


class Open(msgspec.Struct, tag_field="do", tag="open", frozen=True):
    """Begin the session of this connection.

    A period below the target says that finished frames may wait; it is the target where it is left out.
    """

    tids: tuple[int, ...]
    target_ms: float
    name: str = ""
    period_ms: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(set(self.tids)) <= _MOST_TIDS or len(self.name) > _MOST_NAME:
            raise ValueError(
                f"{len(set(self.tids))} threads, a name of {len(self.name)} characters; "
                f"allowed: 1 to {_MOST_TIDS} threads, a name of at most {_MOST_NAME}"
            )
        if not self.name.isprintable():
            raise ValueError("the name has characters that cannot be printed; choose another")
        _check_ms("target_ms", self.target_ms)
        if self.period_ms is not None:
            _check_ms("period_ms", self.period_ms)
            if self.target_ms > _MOST_PERIODS * self.period_ms:
                raise ValueError(
                    f"target_ms is {self.target_ms}; it must be at most {_MOST_PERIODS} times period_ms, "
                    f"{self.period_ms}"
                )


class Begin(msgspec.Struct, tag_field="do", tag="begin", frozen=True):
    """A frame begins now; it is due in ``left_ms``, or after the target. Not above 0: it is late already."""

    left_ms: float | None = None

    def __post_init__(self) -> None:
        if self.left_ms is not None and not abs(self.left_ms) < 1e7:
            raise ValueError(f"left_ms is {self.left_ms}; it must be within 10,000,000 of 0")


class Report(msgspec.Struct, tag_field="do", tag="report", frozen=True):
    """A frame is done; ``late`` says whether it missed its time where the duration does not tell."""

    actual_ms: float
    late: bool | None = None

    def __post_init__(self) -> None:
        _check_ms("actual_ms", self.actual_ms)


class UpdateTarget(msgspec.Struct, tag_field="do", tag="update_target", frozen=True):
    """Another target duration."""

    target_ms: float

    def __post_init__(self) -> None:
        _check_ms("target_ms", self.target_ms)


class Headroom(msgspec.Struct, tag_field="do", tag="headroom", frozen=True):
    """Ask how much of the target is left at the fastest setting."""


Request = Open | Begin | Report | UpdateTarget | Headroom


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the next frame runs at, or why the request was refused.

    Attributes:
        freq_khz: left out where the clock is the kernel's.
        meets_target: whether a frame is expected to be in time.
        trusted: whether predictions are acted on.
        reason: why something changed.
        begins: the governor changes clocks within frames: tell when each begins.
    """

    ok: bool
    error: str | None = None
    cluster: str | None = None
    freq_khz: int | None = None
    meets_target: bool | None = None
    trusted: bool | None = None
    reason: str | None = None
    headroom: float | None = None
    begins: bool = False


def decode_request(line: bytes) -> Request:
    """Return the request in a line.

    Raises:
        ValueError: it is none.
    """
    try:
        request: Request = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as err:
        raise ValueError(f"not a request ({err}); see docs/governing.md") from err
    return request


def encode_answer(answer: Answer) -> bytes:
    """Return an answer as a line."""
    return msgspec.json.encode(answer) + b"\n"


def _check_ms(name: str, duration_ms: float) -> None:
    if not 0 < duration_ms < 1e7 or math.isnan(duration_ms):
        raise ValueError(f"{name} is {duration_ms}; it must be above 0 and below 10,000,000")


_DECODER: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
