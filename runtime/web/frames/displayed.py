"""Count displayed frames by a trace of one event each, which costs the browser next to nothing."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runtime.errors import WebError
from runtime.web.browser.connection import Connection, Event
from runtime.web.browser.display import HEADLESS_HZ, lag_s
from runtime.web.gestures.perform import Performed

LAG_S = lag_s(HEADLESS_HZ)
FRAMES_ONLY = ("disabled-by-default-display.framedisplayed",)  # categories of a trace
_NAME = "Display::FrameDisplayed"
_END_S = 30.0  # reading it takes 40 ms, on a saturated little core some seconds


@dataclass(frozen=True)
class Shown:
    """Frames of a gesture.

    Attributes:
        times_s: when each reached the display, on the monotonic clock, in order.
        window_s: for how long frames were due.
        gaps_ms: between frames of one movement.
    """

    times_s: tuple[float, ...]
    window_s: float
    gaps_ms: tuple[float, ...]

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
    window_s = 0.0
    for span in performed.spans:
        start_s, end_s = span.start_s + late_s, span.end_s + late_s
        within = [time_s for time_s in times_s if start_s <= time_s <= end_s]
        if within:
            start_s = within[0] if span.begins_late else start_s
            end_s = within[-1] if span.runs_on else end_s
        edges = [start_s, *within, end_s]
        gaps_ms += [1000 * (after - before) for before, after in itertools.pairwise(edges) if after > before]
        kept += within
        window_s += end_s - start_s
    return Shown(tuple(kept), window_s, tuple(gaps_ms))
