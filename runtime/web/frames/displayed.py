"""Count displayed frames by a trace of one event each, which costs the browser next to nothing."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runtime.errors import WebError
from runtime.web.browser.clock import clock_ahead_s
from runtime.web.browser.connection import Connection, Event
from runtime.web.browser.display import HEADLESS_HZ, lag_s
from runtime.web.browser.page import Page
from runtime.web.gestures.perform import Performed

FRAMES_ONLY = ("disabled-by-default-display.framedisplayed",)  # categories of a trace
_NAME = "Display::FrameDisplayed"
_NEAR_S = 10.0  # a trace begins right before its gesture and ends right after
_END_S = 30.0  # reading it takes 40 ms, on a saturated little core some seconds


@dataclass(frozen=True)
class Shown:
    """Frames of a gesture.

    Attributes:
        times_s: when each reached the display, on the monotonic clock, in order.
        window_s: for how long frames were due.
        gaps_ms: between frames of one movement.
        windows: of each movement, from when frames were due to when they no longer were.
    """

    times_s: tuple[float, ...]
    window_s: float
    gaps_ms: tuple[float, ...]
    windows: tuple[tuple[float, float], ...] = ()

    @property
    def fps(self) -> float:
        """Frames a second while they were due."""
        return len(self.times_s) / self.window_s if self.window_s > 0 else 0.0


@dataclass
class Trace:
    """Events of a trace, complete once ``traced`` has ended."""

    events: list[Event] = field(default_factory=list)

    def times_s(self, name: str = _NAME) -> list[float]:
        """Return when events of a name took place, in order: the browser uses the monotonic clock, in us."""
        return sorted(event["ts"] / 1e6 for event in self.events if event.get("name") == name)


@contextlib.contextmanager
def traced(connection: Connection, categories: Sequence[str] = FRAMES_ONLY) -> Iterator[Trace]:
    """Trace the browser within the block; the events are there after it.

    Raises:
        WebError: it traces already, or does not hand the trace over.
    """
    trace, complete = Trace(), threading.Event()
    ends = [
        connection.listen("Tracing.dataCollected", lambda event: trace.events.extend(event.get("value", ()))),
        connection.listen("Tracing.tracingComplete", lambda event: complete.set()),
    ]
    try:
        # Without `*` among the excluded ones every category that is not disabled by default comes on.
        config = {"includedCategories": list(categories), "excludedCategories": ["*"]}
        connection.call("Tracing.start", traceConfig=config, transferMode="ReportEvents")
        try:
            yield trace
        finally:
            connection.call("Tracing.end")
            if not complete.wait(_END_S):
                raise WebError(f"the browser did not hand over its trace within {_END_S:g} s; start it again")
    finally:
        for end in ends:
            end()


def shown(times_s: Sequence[float], performed: Performed, refresh_hz: float = HEADLESS_HZ) -> Shown:
    """Return the frames that were displayed while a gesture took place, from when its first could be.

    A movement that runs on, such as a fling, ends with its last frame.
    """
    late_s = lag_s(refresh_hz)
    kept: list[float] = []
    gaps_ms: list[float] = []
    windows: list[tuple[float, float]] = []
    for span in performed.spans:
        start_s, end_s = span.start_s + late_s, span.end_s + late_s
        within = [time_s for time_s in times_s if start_s <= time_s <= end_s]
        if within:
            start_s = within[0] if span.begins_late else start_s
            end_s = within[-1] if span.runs_on else end_s
        edges = [start_s, *within, end_s]
        gaps_ms += [1000 * (after - before) for before, after in itertools.pairwise(edges) if after > before]
        kept += within
        windows.append((start_s, end_s))
    window_s = sum(end_s - start_s for start_s, end_s in windows)
    return Shown(tuple(kept), window_s, tuple(gaps_ms), tuple(windows))


def shown_on(page: Page, trace: Trace, performed: Performed) -> Shown:
    """Return the frames of a gesture on ``page``, by the clock and the display of the machine that it is on.

    Raises:
        WebError: the browser does not tell its time, traces by another, or is gone.
    """
    times_s, there = trace.times_s(), performed.shifted(clock_ahead_s(page))
    check_clock(times_s, there)
    return shown(times_s, there, page.connection.host.display.refresh_hz)


def check_clock(times_s: Sequence[float], performed: Performed) -> None:
    """Raise ``WebError`` where a trace that was begun for a gesture has frames, but none near its time."""
    begin_s, end_s = performed.spans[0].start_s - _NEAR_S, performed.spans[-1].end_s + _NEAR_S
    if times_s and not any(begin_s <= time_s <= end_s for time_s in times_s):
        raise WebError(
            f"the browser's trace has frames at {times_s[0]:.3f} s of its clock, and the gesture took place "
            f"at {begin_s + _NEAR_S:.3f} s; its pages go by another clock: use another version of it"
        )
