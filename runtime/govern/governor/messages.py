"""What programs say to a governor: a line of JSON each way, an answer per request, a session per connection.

Modelled on Android's performance hints (ADPF, ``PerformanceHintManager.Session``): a duration that frames
should keep, actual durations, a headroom. The client closes a session by closing the connection.

Copies of ``client.py`` live in other people's programs, so the names that fields had before are taken too.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from runtime.bundle.decoding import decode_json

MOST_BYTES = 65536  # of a line: a session of some thousand threads
_MOST_TIDS = 4096
_MOST_NAME = 64
_MOST_FRAMES = 1_000_000  # of a gesture: an hour at 240 Hz
_MOST_PERIODS = 4  # of a deadline: as many as ``VariableLoad`` lets wait, and the frame itself
_OLD_FIELDS = {"target_ms": "deadline_ms", "left_ms": "remaining_ms"}


class OpenSession(msgspec.Struct, tag_field="do", tag="open", frozen=True):
    """Begin the session of this connection.

    A period below the deadline says that finished frames may wait; it is the deadline where it is left out.
    """

    tids: tuple[int, ...]
    deadline_ms: float
    name: str = ""
    period_ms: float | None = None

    def __post_init__(self) -> None:
        _check_threads(self.tids, self.name)
        _check_ms("deadline_ms", self.deadline_ms)
        if self.period_ms is not None:
            _check_ms("period_ms", self.period_ms)
            if self.deadline_ms > _MOST_PERIODS * self.period_ms:
                raise ValueError(
                    f"deadline_ms is {self.deadline_ms}; it must be at most {_MOST_PERIODS} times period_ms, "
                    f"{self.period_ms}"
                )


class Begin(msgspec.Struct, tag_field="do", tag="begin", frozen=True):
    """A frame begins now, ``remaining_ms`` before its deadline; left out: all of it. Below 0: it is late."""

    remaining_ms: float | None = None

    def __post_init__(self) -> None:
        if self.remaining_ms is not None and not abs(self.remaining_ms) < 1e7:
            raise ValueError(f"remaining_ms is {self.remaining_ms}; it must be within 10,000,000 of 0")


class Report(msgspec.Struct, tag_field="do", tag="report", frozen=True):
    """A frame is done; ``late`` says whether it missed its deadline where the duration does not tell."""

    actual_ms: float
    late: bool | None = None

    def __post_init__(self) -> None:
        _check_ms("actual_ms", self.actual_ms)


class UpdateDeadline(msgspec.Struct, tag_field="do", tag="update_deadline", frozen=True):
    """Another deadline for the frames to come."""

    deadline_ms: float

    def __post_init__(self) -> None:
        _check_ms("deadline_ms", self.deadline_ms)


class Headroom(msgspec.Struct, tag_field="do", tag="headroom", frozen=True):
    """Ask how much of the deadline is left at the fastest setting."""


class OpenGestures(msgspec.Struct, tag_field="do", tag="open_gestures", frozen=True):
    """Begin a session of gestures: its threads run at settings that it names, see ``Hold``."""

    tids: tuple[int, ...]
    cluster: str
    freq_khz: int
    name: str = ""

    def __post_init__(self) -> None:
        _check_threads(self.tids, self.name)


class Hold(msgspec.Struct, tag_field="do", tag="hold", frozen=True):
    """Run at this setting until another one is named: in a gesture, or between two."""

    cluster: str
    freq_khz: int


class ReportGesture(msgspec.Struct, tag_field="do", tag="report_gesture", frozen=True):
    """A gesture is over: so many frames were due in it, and so many of them came late or not at all."""

    frames: int
    late: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.late <= self.frames <= _MOST_FRAMES:
            raise ValueError(
                f"{self.late} late of {self.frames} frames; allowed: 0 to {_MOST_FRAMES:,} frames, late ones "
                "among them"
            )


class UseThreads(msgspec.Struct, tag_field="do", tag="use_threads", frozen=True):
    """These are the session's threads from now on, as when a page has got a new process."""

    tids: tuple[int, ...]

    def __post_init__(self) -> None:
        _check_threads(self.tids, "")


Request = (
    OpenSession
    | Begin
    | Report
    | UpdateDeadline
    | Headroom
    | OpenGestures
    | Hold
    | ReportGesture
    | UseThreads
)


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the next frame runs at, or why the request was refused.

    Attributes:
        freq_khz: left out where the clock is the kernel's.
        meets_deadline: whether a frame is expected to be in time.
        meets_target: the same, by the name that older clients look for.
        trusted: whether predictions are acted on.
        reason: why something changed.
        unmoved: why the threads stay where they are; left out: they are all on the cluster.
        begins: the governor changes clocks within frames: report when each begins.
    """

    ok: bool
    error: str | None = None
    cluster: str | None = None
    freq_khz: int | None = None
    meets_deadline: bool | None = None
    meets_target: bool | None = None
    trusted: bool | None = None
    reason: str | None = None
    unmoved: str | None = None
    headroom: float | None = None
    begins: bool = False


def decode_request(line: bytes) -> Request:
    """Return the request in a line.

    Raises:
        ValueError: it is none.

    Example:
        >>> decode_request(b'{"do": "update_target", "target_ms": 16.6}')
        UpdateDeadline(deadline_ms=16.6)
    """
    if b"target" in line or b"left" in line:
        line = _with_new_names(line)
    return _decode(line, Request)


def _decode(line: bytes, kind: Any) -> Any:
    return decode_json(
        line,
        kind,
        where="not a request",
        advice="see docs/governing.md",
        error=ValueError,
        most_bytes=MOST_BYTES,
    )


def _with_new_names(line: bytes) -> bytes:
    plain: dict[str, Any] = _decode(line, dict[str, Any])
    fields = {_OLD_FIELDS.get(name, name): value for name, value in plain.items()}
    if fields.get("do") == "update_target":
        fields["do"] = "update_deadline"
    return msgspec.json.encode(fields)


def encode_answer(answer: Answer) -> bytes:
    """Return an answer as a line."""
    return msgspec.json.encode(answer) + b"\n"


def _check_threads(tids: tuple[int, ...], name: str) -> None:
    if not 1 <= len(set(tids)) <= _MOST_TIDS or len(name) > _MOST_NAME:
        raise ValueError(
            f"{len(set(tids))} threads, a name of {len(name)} characters; "
            f"allowed: 1 to {_MOST_TIDS} threads, a name of at most {_MOST_NAME}"
        )
    if not name.isprintable():
        raise ValueError("the name has characters that cannot be printed; choose another")


def _check_ms(name: str, duration_ms: float) -> None:
    if not 0 < duration_ms < 1e7 or math.isnan(duration_ms):
        raise ValueError(f"{name} is {duration_ms}; it must be above 0 and below 10,000,000")
