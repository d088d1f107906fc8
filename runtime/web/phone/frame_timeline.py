"""Perfetto's FrameTimeline: when Android 12 and later showed frames, by the compositor's own trace.

Of the trace (https://perfetto.dev/docs/data-sources/frametimeline), a protobuf, only what is counted is read:
frames of the display, each with the pictures of apps that it showed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from runtime.errors import DataError

SOURCE = "Perfetto's FrameTimeline"
DATA_SOURCE = "android.surfaceflinger.frametimeline"
# Numbers of fields: trace.proto, trace_packet.proto, clock_snapshot.proto, frame_timeline_event.proto.
_PACKET = 1
_CLOCK_SNAPSHOT, _TIMESTAMP, _CLOCK_ID, _EVENT = 6, 8, 58, 76
_CLOCKS, _CLOCK, _TIME = 1, 1, 2
_DISPLAY_START, _SURFACE_START, _END = 2, 4, 5
_COOKIE, _DISPLAY_TOKEN, _SURFACE_OF, _LAYER, _PRESENT_TYPE, _IS_BUFFER = 1, 2, 3, 5, 6, 11
_DROPPED = 4
_MONOTONIC, _BOOTTIME = 3, 6
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_SHIFT = 63


@dataclass
class _Found:
    """What a trace tells, in the order in which it comes."""

    ended_ns: dict[int, int] = field(default_factory=dict)  # by cookie, on CLOCK_MONOTONIC
    display_frames: dict[int, int] = field(default_factory=dict)  # cookie by token
    shown: set[int] = field(default_factory=set)  # tokens of display frames that showed a picture


def presented_ns(data: bytes, layers: Collection[str]) -> tuple[int, ...]:
    """Return when the display showed frames with a new picture of any of ``layers``, on CLOCK_MONOTONIC.

    Args:
        data: a trace with the data source ``DATA_SOURCE``.
        layers: by name.

    Raises:
        DataError: it is no trace.
    """
    packets = [_fields(packet) for number, packet in _each(data) if number == _PACKET and _is_bytes(packet)]
    ahead_ns = next((ahead for each in packets if (ahead := _boot_ahead_ns(each)) is not None), 0)
    found = _Found()
    for packet in packets:
        event = packet.get(_EVENT)
        if isinstance(event, bytes):
            is_boot = packet.get(_CLOCK_ID, _BOOTTIME) == _BOOTTIME
            _take(found, _fields(event), _number(packet, _TIMESTAMP) - (ahead_ns if is_boot else 0), layers)
    cookies = (found.display_frames[token] for token in found.shown if token in found.display_frames)
    return tuple(sorted(found.ended_ns[cookie] for cookie in cookies if cookie in found.ended_ns))


def _take(found: _Found, event: dict[int, int | bytes], time_ns: int, layers: Collection[str]) -> None:
    for kind, body in event.items():
        if not isinstance(body, bytes):
            continue
        values = _fields(body)
        if kind == _END:
            found.ended_ns[_number(values, _COOKIE)] = time_ns
        elif kind == _DISPLAY_START:
            found.display_frames[_number(values, _DISPLAY_TOKEN)] = _number(values, _COOKIE)
        elif kind == _SURFACE_START:
            name = values.get(_LAYER)
            is_ours = isinstance(name, bytes) and name.decode(errors="replace") in layers
            is_seen = values.get(_PRESENT_TYPE) != _DROPPED and values.get(_IS_BUFFER, 1)
            if is_ours and is_seen:
                found.shown.add(_number(values, _SURFACE_OF))


def _boot_ahead_ns(packet: dict[int, int | bytes]) -> int | None:
    """Return by how much CLOCK_BOOTTIME, in which sleep counts, is ahead of CLOCK_MONOTONIC."""
    snapshot = packet.get(_CLOCK_SNAPSHOT)
    if not isinstance(snapshot, bytes):
        return None
    clocks = [_fields(body) for number, body in _each(snapshot) if number == _CLOCKS and _is_bytes(body)]
    times_ns = {_number(clock, _CLOCK): _number(clock, _TIME) for clock in clocks}
    if _MONOTONIC not in times_ns or _BOOTTIME not in times_ns:
        return None
    return times_ns[_BOOTTIME] - times_ns[_MONOTONIC]


def _is_bytes(value: int | bytes) -> bool:
    return isinstance(value, bytes)


def _number(values: dict[int, int | bytes], number: int) -> int:
    found = values.get(number, 0)
    return found if isinstance(found, int) else 0


def _fields(data: int | bytes) -> dict[int, int | bytes]:
    """Return the fields of a message by their numbers, of repeated ones the last."""
    return dict(_each(data)) if isinstance(data, bytes) else {}


def _each(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a message (https://protobuf.dev/programming-guides/encoding)."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        length, at = (8, at) if kind == _FIXED64 else (4, at) if kind == _FIXED32 else _length(data, at, kind)
        if at + length > len(data):
            raise DataError("the phone's trace of frames is cut off; measure again")
        yield number, data[at : at + length]
        at += length


def _length(data: bytes, at: int, kind: int) -> tuple[int, int]:
    if kind != _BYTES:
        raise DataError(
            f"the phone's trace of frames has a field of kind {kind}, which none has; measure again"
        )
    return _varint(data, at)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while at < len(data) and shift <= _MOST_SHIFT:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
    raise DataError("the phone's trace of frames is cut off in a number; measure again")
