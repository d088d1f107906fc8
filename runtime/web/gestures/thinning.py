"""The same movement in fewer steps a second, so that a display shows it at a lower frame rate.

Without a new input nothing on a page moves, so no frame is drawn: a browser shows as many frames as there are
steps, on any machine that is fast enough, and nothing in the page or its processes is slowed down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from runtime.web.gestures.strokes import InputEvent, Stroke

_WHEEL, _MOVE = "mouseWheel", "touchMove"


def thinned(strokes: Sequence[Stroke], fps: float) -> tuple[Stroke, ...]:
    """Return movements whose inputs come at most ``fps`` times a second, over the same way in the same time.

    Raises:
        ValueError: the browser makes the steps of such a movement itself.

    Example:
        >>> from runtime.web.gestures.gesture import Gesture
        >>> from runtime.web.gestures.room import Room
        >>> from runtime.web.gestures.strokes import strokes_of
        >>> strokes = strokes_of(Gesture("scroll", 1200.0), Room(412.0, 915.0, 1.0, 9000.0), 1.0)
        >>> (slow,) = thinned(strokes, 20.0)
        >>> len(strokes[0].events), len(slow.events)
        (60, 20)
    """
    return tuple(_thin(stroke, fps) for stroke in strokes)


def _thin(stroke: Stroke, fps: float) -> Stroke:
    if stroke.runs_on or any(event.waits for event in stroke.events):
        raise ValueError(
            "the browser itself moves the page in this gesture, at its own rate; take a scroll, a fling by "
            "wheel, or a pinch by touch"
        )
    kept: list[InputEvent] = []
    slot, waiting = -1, None
    for event in stroke.events:
        kind = event.params.get("type")
        if kind not in (_WHEEL, _MOVE):
            kept += [event] if waiting is None else [waiting, event]
            waiting = None
            continue
        if waiting is not None and kind == _WHEEL:
            event = _joined(waiting, event)
        mine = math.floor((event.at_s - stroke.start_s) * fps + 1e-6)
        if mine > slot:
            kept.append(event)
            slot, waiting = mine, None
        else:
            waiting = event
    if waiting is not None:  # of a wheel: a finger's last step is followed by its leaving
        last = kept.pop()
        kept.append(replace(_joined(last, waiting), at_s=last.at_s))
    return replace(stroke, events=tuple(kept))


def _joined(first: InputEvent, second: InputEvent) -> InputEvent:
    """Return a step of a wheel that goes as far as two, at the time of the second."""
    ways = {name: first.params[name] + second.params[name] for name in ("deltaX", "deltaY")}
    return replace(second, params={**second.params, **ways})
