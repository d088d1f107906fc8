"""Which gesture is under way, how fast, and when it is over: pure, from the inputs and the time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from runtime.web.gestures.inputs import Input

# From the first event, in which a gesture's speed is read: three events of 60 a second. A shorter time sees
# one step of a wheel, a longer one leaves more of the gesture at what was expected of it.
READ_S = 0.05
# Without an event after which a gesture is over: five times as long as between two events of a slow wheel,
# and longer than a page that takes a breath is silent. A fling goes on by itself; its scroll events tell.
QUIET_S = 0.25
# Of a finger that leaves the screen, from which a page goes on by itself (Chromium's minimum fling velocity).
_FLING = 50.0
_FAR_PX = 100.0  # a way from which a wheel's scale is learnt


@dataclass
class _Path:
    """Ways in pixels, each with when it ended, in ms."""

    steps: list[tuple[float, float]] = field(default_factory=list)

    def first_speed(self, frame_ms: float) -> float:
        """Return how fast the first steps were, in pixels a second; 0 where that cannot be told.

        A browser gives out one step a frame: two that follow faster are of frames that were late.
        """
        first = [each for each in self.steps if each[0] - self.steps[0][0] <= READ_S * 1e3]
        if len(first) < 2:
            return 0.0
        spent_ms = max(first[-1][0] - first[0][0], (len(first) - 1) * frame_ms)
        return 1e3 * sum(px for _, px in first[1:]) / spent_ms

    def last_speed(self, at_ms: float) -> float:
        """Return how fast the last step was; 0 where it rests since."""
        if len(self.steps) < 2 or at_ms - self.steps[-1][0] > READ_S * 1e3:
            return 0.0
        (before_ms, _), (last_ms, px) = self.steps[-2:]
        return 1e3 * px / max(last_ms - before_ms, 1.0)


@dataclass
class LiveGesture:
    """A gesture that is under way.

    Attributes:
        kind: ``scroll``, ``fling`` or ``pinch``.
        begin_s: when its first input came.
        last_s: when the last one did.
        source: ``wheel`` or ``touch``.
        moved: by what wheel and fingers say.
        scrolled: by where the page was.
        frame_ms: between two frames of the display.
        scale: of what a wheel says; ``None``: not known. A browser that plays a phone divides it by the
            screen's pixels per CSS pixel.
    """

    kind: str
    begin_s: float
    last_s: float
    source: str
    frame_ms: float
    scale: float | None = None
    moved: _Path = field(default_factory=_Path)
    scrolled: _Path = field(default_factory=_Path)

    @property
    def speed(self) -> float:
        """CSS pixels of the screen per second, by its beginning; 0: not known, as of a pinch."""
        if self.kind == "pinch" or not self.moved.steps:
            return 0.0
        moved = self.moved.first_speed(self.frame_ms) or 1e3 * self.moved.steps[0][1] / self.frame_ms
        if self.source == "touch":
            return moved
        if self.scale is not None:
            return moved * self.scale
        return max(moved, self.scrolled.first_speed(self.frame_ms))

    @property
    def read_s(self) -> float:
        """When its speed is known."""
        return self.begin_s + READ_S

    @property
    def over_s(self) -> float:
        """When it is over, unless something happens until then."""
        return self.last_s + QUIET_S


class Tracker:
    """Follows one page's inputs.

    Args:
        refresh_hz: of the display.

    Attributes:
        gesture: that is under way; ``None``: none is.

    Example:
        >>> tracker = Tracker()
        >>> for number in range(4):
        ...     tracker.note(Input("wheel", 16.0 * number, 0.0, 32.0, 1), now_s=0.016 * number)
        >>> tracker.gesture.kind, round(tracker.gesture.speed)
        ('scroll', 2000)
        >>> tracker.end(now_s=0.3).kind, tracker.gesture
        ('scroll', None)
    """

    def __init__(self, refresh_hz: float = 60.0) -> None:
        self.gesture: LiveGesture | None = None
        self._frame_ms = 1e3 / refresh_hz
        self._finger: tuple[float, float] | None = None
        self._at: tuple[float, float] | None = None  # where the page is scrolled to
        self._scale: float | None = None  # of what wheels say

    def note(self, event: Input, now_s: float) -> None:
        """Take note of an event that has come now."""
        if event.type == "wheel":
            kind = "pinch" if event.fingers == 2 else "scroll"
            self._move(kind, "wheel", event.at_ms, math.hypot(event.x, event.y), now_s)
        elif event.type == "scroll":
            self._scroll(event, now_s)
        elif event.type in ("touchstart", "touchmove"):
            self._touch(event, now_s)
        elif event.fingers == 0:
            self._lift(event.at_ms)

    def end(self, now_s: float) -> LiveGesture | None:
        """Return the gesture if it is over by now; there is none under way then."""
        found = self.gesture
        if found is None or now_s < self.due_s:
            return None
        self.gesture, self._at = None, None
        ways_px = [sum(px for _, px in path.steps) for path in (found.moved, found.scrolled)]
        if found.source == "wheel" and found.kind == "scroll" and min(ways_px) >= _FAR_PX:
            self._scale = ways_px[1] / ways_px[0]
        return found

    def drop(self) -> None:
        """Forget the gesture that is under way."""
        self.gesture, self._finger, self._at = None, None, None

    @property
    def due_s(self) -> float:
        """When the gesture is over if nothing happens; infinite: never, as with a finger on the screen."""
        return math.inf if self.gesture is None or self._finger is not None else self.gesture.over_s

    def _scroll(self, event: Input, now_s: float) -> None:
        before, self._at = self._at, (event.x, event.y)
        gesture = self.gesture
        if gesture is None:
            return  # what a page does by itself is no gesture, but a gesture it may prolong
        gesture.last_s = now_s
        way_px = 0.0 if before is None else math.dist(before, self._at)
        gesture.scrolled.steps.append((event.at_ms, way_px))

    def _touch(self, event: Input, now_s: float) -> None:
        before, self._finger = self._finger, (event.x, event.y)
        if event.type == "touchstart" or before is None:
            return  # a finger that rests is no gesture
        kind = "pinch" if event.fingers >= 2 else "scroll"
        self._move(kind, "touch", event.at_ms, math.dist(before, self._finger), now_s)

    def _lift(self, at_ms: float) -> None:
        self._finger = None
        gesture = self.gesture
        if gesture is None or (gesture.kind, gesture.source) != ("scroll", "touch"):
            return
        if gesture.moved.last_speed(at_ms) >= _FLING:
            gesture.kind = "fling"

    def _move(self, kind: str, source: str, at_ms: float, px: float, now_s: float) -> None:
        if self.gesture is None:
            self.gesture = LiveGesture(kind, now_s, now_s, source, self._frame_ms, self._scale)
        elif kind == "pinch":
            self.gesture.kind = kind  # the second finger came later
        self.gesture.last_s = now_s
        self.gesture.moved.steps.append((at_ms, px))
