"""The input events of a gesture, each at its time: computed before it begins, so that nothing delays them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from runtime.web.browser.display import HEADLESS_HZ
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.room import Room

# Of the screen's height; a thumb does not go farther at a time.
_REACH = 0.7
_STILL_S = 0.1  # a finger rests before it leaves, so that the page does not run on
_LIFTED_S = 0.05
_SWIPE_S = 0.12
RUN_ON_S = 2.0  # Chrome's flings on a phone's page end within 1.5 s at 3000 px/s
# Of a touch pad's fling (ui/events/gestures/fling_curve.cc): velocity = -ALPHA GAMMA exp(-GAMMA t) - BETA.
_ALPHA, _BETA, _GAMMA = -5707.62, 172.0, 3.7
_SPAN = 0.6  # of the screen's height, between two fingers at their widest
# A synthesised pinch fails where its middle is outside of what a page shows; zoomed by 2, that is 206 x 457.
_PINCH_AT = (100.0, 200.0)
_PAUSE_S = 0.05
# Looks at a finger in the time of a frame; touch screens take 120 to 240 a second. With one, how many come
# too late for their frame hangs on how two clocks stand to each other: a pinch showed 58 or 41 FPS.
_LOOKS = 2


@dataclass(frozen=True)
class InputEvent:
    """One call to the browser, ``at_s`` after the gesture began.

    ``waits``: the next one is not sent before this one is answered, as it does a whole movement.
    """

    at_s: float
    method: str
    params: dict[str, Any] = field(default_factory=dict)
    waits: bool = False


@dataclass(frozen=True)
class Stroke:
    """One movement: frames are due from its first event to ``end_s``, or for as long as it runs on."""

    events: tuple[InputEvent, ...]
    end_s: float
    runs_on: bool = False

    @property
    def start_s(self) -> float:
        return self.events[0].at_s


def strokes_of(
    gesture: Gesture, room: Room, duration_s: float, rate_hz: float = HEADLESS_HZ
) -> tuple[Stroke, ...]:
    """Return the movements of ``gesture`` on a page until at least ``duration_s`` are full.

    A scroll or a fling turns where the page ends.

    Args:
        rate_hz: of a wheel's events: as many as the display shows frames. A finger has twice as many.

    Raises:
        ValueError: the page is too short for it.
    """
    if gesture.source == "touch":
        rate_hz *= _LOOKS
    if gesture.kind == "pinch":
        pinched = _pinched_by_touch if gesture.source == "touch" else _pinched
        return _until(pinched(gesture, room, rate_hz), duration_s)
    least_px = gesture.speed / rate_hz
    if room.room_px < least_px:
        raise ValueError(
            f"the page can be scrolled by {room.room_px:g} px, less than one event's {least_px:g}"
        )
    if gesture.kind == "fling":
        flung = _flung_by_touch if gesture.source == "touch" else _flung
        return _until(flung(gesture, room, rate_hz), duration_s)
    if gesture.source == "touch":
        return _until(_dragged(gesture, room, rate_hz), duration_s)
    return (_rolled(gesture, room, duration_s, rate_hz),)


def turns(gesture: Gesture, room: Room, duration_s: float) -> bool:
    """Return whether a page is too short for ``duration_s`` of a gesture in one direction."""
    return gesture.kind != "pinch" and gesture.speed * duration_s > room.room_px


def _until(strokes: Iterator[Stroke], duration_s: float) -> tuple[Stroke, ...]:
    found: list[Stroke] = []
    for stroke in strokes:
        found.append(stroke)
        if stroke.end_s - found[0].start_s >= duration_s:
            break
    return tuple(found)


def _rolled(gesture: Gesture, room: Room, duration_s: float, rate_hz: float) -> Stroke:
    """A wheel that turns evenly."""
    deltas = _within(room.room_px, (gesture.speed / rate_hz for _ in count()))
    n_events = math.ceil(duration_s * rate_hz)
    events = tuple(_wheel(i / rate_hz, room, next(deltas)) for i in range(n_events))
    return Stroke(events, n_events / rate_hz)


def _flung(gesture: Gesture, room: Room, rate_hz: float) -> Iterator[Stroke]:
    """A touch pad that is flicked: fast, and slower and slower, until it stands."""
    begin_s = math.log(-_ALPHA * _GAMMA / (gesture.speed + _BETA)) / _GAMMA
    end_s = math.log(-_ALPHA * _GAMMA / _BETA) / _GAMMA
    n_events = max(1, math.ceil((end_s - begin_s) * rate_hz))
    speeds = [-_ALPHA * _GAMMA * math.exp(-_GAMMA * (begin_s + i / rate_hz)) - _BETA for i in range(n_events)]
    deltas = _within(room.room_px, (max(0.0, speed) / rate_hz for _ in count() for speed in speeds))
    at_s = 0.0
    while True:
        events = tuple(_wheel(at_s + i / rate_hz, room, next(deltas)) for i in range(n_events))
        yield Stroke(events, at_s + n_events / rate_hz)
        at_s += n_events / rate_hz + _PAUSE_S


def _dragged(gesture: Gesture, room: Room, rate_hz: float) -> Iterator[Stroke]:
    """A finger that drags, rests, leaves and starts again."""
    reach_px, rest_s = room.height_px * _REACH, _STILL_S + _LIFTED_S
    for at_s, far_px, sign in _swipes(room, gesture.speed, reach_px, rest_s + 1 / rate_hz):
        moves = _moves(at_s, room, far_px * sign, gesture.speed, rate_hz)
        left = InputEvent(moves[-1].at_s + _STILL_S, "Input.dispatchTouchEvent", _touch("touchEnd", room))
        yield Stroke((*moves, left), moves[-1].at_s)


def _flung_by_touch(gesture: Gesture, room: Room, rate_hz: float) -> Iterator[Stroke]:
    """A finger that leaves at full speed; the page runs on."""
    reach_px = min(room.height_px * _REACH, gesture.speed * _SWIPE_S)
    for at_s, far_px, sign in _swipes(room, gesture.speed, reach_px, RUN_ON_S + 1 / rate_hz):
        moves = _moves(at_s, room, far_px * sign, gesture.speed, rate_hz)
        left = InputEvent(moves[-1].at_s + 1 / rate_hz, "Input.dispatchTouchEvent", _touch("touchEnd", room))
        yield Stroke((*moves, left), moves[-1].at_s + RUN_ON_S, runs_on=True)


def _swipes(room: Room, speed: float, reach_px: float, rest_s: float) -> Iterator[tuple[float, float, int]]:
    """Yield when each swipe begins, how far it goes, and which way: down the page, or where it ends, up."""
    at_s, top_px, sign = 0.0, 0.0, 1
    while True:
        far_px = min(reach_px, room.room_px)
        if not 0 <= top_px + sign * far_px <= room.room_px:
            sign = -sign
        top_px = min(room.room_px, max(0.0, top_px + sign * far_px))
        yield at_s, far_px, sign
        at_s += far_px / speed + rest_s


def _moves(at_s: float, room: Room, far_px: float, speed: float, rate_hz: float) -> tuple[InputEvent, ...]:
    """Return a finger's events over ``far_px`` of the screen; below 0, downwards, which scrolls back."""
    x_px, from_px = room.width_px / 2, room.height_px / 2 + far_px / 2
    n_moves = max(1, round(abs(far_px) / speed * rate_hz))
    down = InputEvent(at_s, "Input.dispatchTouchEvent", _touch("touchStart", room, (x_px, from_px)))
    return (
        down,
        *(
            InputEvent(
                at_s + i / rate_hz,
                "Input.dispatchTouchEvent",
                _touch("touchMove", room, (x_px, from_px - far_px * i / n_moves)),
            )
            for i in range(1, n_moves + 1)
        ),
    )


def _pinched(gesture: Gesture, room: Room, rate_hz: float) -> Iterator[Stroke]:
    """A touch pad's pinch, out and in again; the browser makes its events itself."""
    at_s = 0.0
    for number in count():
        factor = gesture.factor if number % 2 == 0 else 1 / gesture.factor
        event = InputEvent(
            at_s,
            "Input.synthesizePinchGesture",
            {
                **dict(zip("xy", (each / room.scale for each in _PINCH_AT), strict=True)),
                "scaleFactor": factor,
                "relativeSpeed": round(gesture.speed),
                "gestureSourceType": "mouse",
            },
            waits=True,
        )
        # As long as ours by touch; the browser tells when it has ended.
        at_s += _pinch_s(gesture, room)
        yield Stroke((event,), at_s, runs_on=True)
        at_s += _PAUSE_S


def _pinched_by_touch(gesture: Gesture, room: Room, rate_hz: float) -> Iterator[Stroke]:
    """Two fingers that part and come together again, one above the other."""
    at_s, widest_px = 0.0, room.height_px * _SPAN
    n_moves = max(2, round(_pinch_s(gesture, room) * rate_hz))
    for number in count():
        shares = [i / n_moves for i in range(n_moves + 1)]
        if number % 2:
            shares.reverse()
        # Places are in CSS pixels, which grow as the page is zoomed.
        factors = [1 + (gesture.factor - 1) * share for share in shares]
        gaps_px = [widest_px / gesture.factor * factor / (room.scale * factor) for factor in factors]
        middle = (room.width_px / 2 / room.scale, room.height_px / 2 / room.scale)
        events = []
        for i, (gap_px, factor) in enumerate(zip(gaps_px, factors, strict=True)):
            x, y = middle[0] / factor, middle[1] / factor
            points = ((x, y - gap_px / 2), (x, y + gap_px / 2))
            name = "touchStart" if i == 0 else "touchMove"
            events.append(InputEvent(at_s + i / rate_hz, "Input.dispatchTouchEvent", _points(name, *points)))
        end_s = events[-1].at_s
        events.append(InputEvent(end_s + _STILL_S, "Input.dispatchTouchEvent", _points("touchEnd")))
        yield Stroke(tuple(events), end_s)
        at_s = end_s + _STILL_S + _LIFTED_S


def _pinch_s(gesture: Gesture, room: Room) -> float:
    """Return how long two fingers take from a factor of 1 to the gesture's."""
    return room.height_px * _SPAN * (1 - 1 / gesture.factor) / gesture.speed


def _within(room_px: float, steps_px: Iterator[float]) -> Iterator[float]:
    """Yield steps with a sign, such that their sum keeps between 0 and ``room_px``."""
    top_px, sign = 0.0, 1.0
    for step_px in steps_px:
        if not 0 <= top_px + sign * step_px <= room_px:
            sign = -sign
        if not 0 <= top_px + sign * step_px <= room_px:
            step_px = 0.0
        top_px += sign * step_px
        yield sign * step_px


def _wheel(at_s: float, room: Room, delta_px: float) -> InputEvent:
    x, y = (each / 2 / room.scale for each in (room.width_px, room.height_px))
    params = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": delta_px}
    return InputEvent(at_s, "Input.dispatchMouseEvent", params)


def _touch(name: str, room: Room, *places_px: tuple[float, float]) -> dict[str, Any]:
    return _points(name, *((x / room.scale, y / room.scale) for x, y in places_px))


def _points(name: str, *places: tuple[float, float]) -> dict[str, Any]:
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
    return {"type": name, "touchPoints": points}


def all_events(strokes: Sequence[Stroke]) -> list[InputEvent]:
    """Return the events of all movements in the order of their times."""
    return [event for stroke in strokes for event in stroke.events]
