"""Record what a user does on a live page, keep it in a file, and do it again on others."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json, read_regular
from runtime.errors import DataError
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.inputs import Input, Recording
from runtime.web.gestures.room import Room
from runtime.web.gestures.strokes import RUN_ON_S, InputEvent, Stroke

_TOUCHES = {
    "touchstart": "touchStart",
    "touchmove": "touchMove",
    "touchend": "touchEnd",
    "touchcancel": "touchCancel",
}
_APART_S = 0.3  # between inputs: another movement; a wheel gives one every 8 to 16 ms
_RUNS_ON_PX_S = 300.0  # of a finger that leaves: slower, the page stands where it is left
_MOST_INPUTS = 100_000  # a quarter of an hour at 120 a second
_MOST_PX = 100_000.0
_ADVICE = "record it again: edgekit web record"


def read_recording(path: Path) -> Gesture:
    """Return the gesture in a file.

    Raises:
        OSError: the file cannot be read.
        DataError: it holds no recording, or one that cannot be done again.
    """
    data = read_regular(path, advice=_ADVICE, error=DataError)
    inputs: tuple[Input, ...] = decode_json(
        data, tuple[Input, ...], where=f"{path} is no recorded gesture", advice=_ADVICE
    )
    return recorded_gesture(Recording(path.stem, inputs))


def write_recording(path: Path, inputs: Sequence[Input]) -> None:
    """Keep inputs in a file."""
    write_atomic(path, msgspec.json.encode(tuple(inputs)) + b"\n")


def recorded_gesture(recording: Recording) -> Gesture:
    """Return a recording as a gesture: a scroll, or a fling where a finger left in motion.

    Raises:
        DataError: there is nothing to do again, or two fingers, of which only one's place is known.
    """
    moves = [each for each in recording.inputs if each.type == "wheel" or each.type in _TOUCHES]
    name = recording.name
    if len(moves) > _MOST_INPUTS or not all(
        abs(each.x) < _MOST_PX and abs(each.y) < _MOST_PX for each in moves
    ):
        raise DataError(f"{name} has inputs that no finger makes; {_ADVICE}")
    if any(each.fingers > 1 for each in moves):
        raise DataError(
            f"{name} has two fingers, and the place of one only is recorded; give a pinch by its speed"
        )
    if any(after.at_ms < before.at_ms for before, after in pairwise(moves)):
        raise DataError(f"{name} goes back in time; {_ADVICE}")
    speeds = [speed for part in _movements(moves) if (speed := _speed(part)) > 0]
    if not speeds:
        raise DataError(f"{name} holds no scroll, fling or drag; {_ADVICE}")
    source = "wheel" if moves[0].type == "wheel" else "touch"
    runs_on = any(_leaves_in_motion(part) for part in _movements(moves))
    kept = Recording(name, tuple(moves))
    return Gesture("fling" if runs_on else "scroll", statistics.median(speeds), source, recorded=kept)


def recorded_strokes(recording: Recording, room: Room) -> tuple[Stroke, ...]:
    """Return the movements of a recording on a page."""
    start_ms = recording.inputs[0].at_ms
    found = []
    for part in _movements(recording.inputs):
        events = tuple(_event(each, (each.at_ms - start_ms) / 1000, room) for each in part)
        runs_on = _leaves_in_motion(part)
        found.append(Stroke(events, events[-1].at_s + (RUN_ON_S if runs_on else 0.0), runs_on=runs_on))
    return tuple(found)


def _movements(inputs: Sequence[Input]) -> list[list[Input]]:
    """Return inputs that belong together: until a finger leaves, or a pause."""
    parts: list[list[Input]] = []
    for each in inputs:
        last = parts[-1][-1] if parts else None
        is_new = last is None or last.type in ("touchend", "touchcancel") or each.type == "touchstart"
        if is_new or (
            last is not None and each.type == "wheel" and each.at_ms - last.at_ms > 1000 * _APART_S
        ):
            parts.append([])
        parts[-1].append(each)
    return parts


def _speed(part: Sequence[Input]) -> float:
    """Return how fast a movement was in px/s."""
    took_s = (part[-1].at_ms - part[0].at_ms) / 1000
    if took_s <= 0:
        return 0.0
    if part[0].type == "wheel":
        return sum(abs(each.y) for each in part) / took_s
    placed = [each for each in part if each.type in ("touchstart", "touchmove")]
    return sum(abs(after.y - before.y) for before, after in pairwise(placed)) / took_s


def _leaves_in_motion(part: Sequence[Input]) -> bool:
    placed = [each for each in part if each.type in ("touchstart", "touchmove")]
    if part[-1].type != "touchend" or len(placed) < 2:
        return False
    before, last = placed[-2:]
    took_s = (part[-1].at_ms - before.at_ms) / 1000
    return took_s > 0 and abs(last.y - before.y) / took_s > _RUNS_ON_PX_S


def _event(each: Input, at_s: float, room: Room) -> InputEvent:
    if each.type == "wheel":
        x, y = room.width_px / 2 / room.scale, room.height_px / 2 / room.scale
        params = {"type": "mouseWheel", "x": x, "y": y, "deltaX": each.x, "deltaY": each.y}
        return InputEvent(at_s, "Input.dispatchMouseEvent", params)
    is_there = each.type in ("touchstart", "touchmove")
    points = [{"x": each.x / room.scale, "y": each.y / room.scale, "id": 0}] if is_there else []
    return InputEvent(at_s, "Input.dispatchTouchEvent", {"type": _TOUCHES[each.type], "touchPoints": points})
