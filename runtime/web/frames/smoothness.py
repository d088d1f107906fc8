"""Which frames a user missed, by Chrome's own reports.

These cost a quarter more CPU time, so runs with them are apart from others.

``PipelineReporter`` (cc/metrics) tells of each frame whether it was presented, with news of the main thread
or without, or dropped, and whether that is seen; ``ScrollJankV4`` whether a frame of a scroll came later
than the frames before it let expect (what ``Event.ScrollJank.DelayedFramesPercentage`` counts).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.web.browser.connection import Event
from runtime.web.browser.display import HEADLESS_HZ, lag_s
from runtime.web.gestures.perform import Performed

DETAILED_CATEGORIES = (
    "disabled-by-default-display.framedisplayed",
    "disabled-by-default-devtools.timeline.frame",
    "input.scrolling",
)
_BEGINS = "b"


@dataclass(frozen=True)
class Smoothness:
    """Of a gesture.

    Attributes:
        main_frames: that brought news of the page's main thread.
        dropped_frames: that the display lacked, where that is seen.
        delayed_pct: share of a scroll's frames that were delayed; ``None``: there was none, or the browser
            does not report it.
    """

    main_frames: int
    dropped_frames: int
    delayed_pct: float | None


def smoothness(
    events: Iterable[Event], renderer: int, performed: Performed, refresh_hz: float = HEADLESS_HZ
) -> Smoothness:
    """Return what the reports of a page's renderer say of the time of a gesture.

    Args:
        events: of a trace of ``DETAILED_CATEGORIES``.
        renderer: process of the page.
        refresh_hz: of the display.
    """
    late_s = lag_s(refresh_hz)
    within = [
        event
        for event in events
        if event.get("ph") == _BEGINS
        and event.get("pid") == renderer
        and _is_within(event, performed, late_s)
    ]
    frames = [
        _argument(event, "frame_reporter") for event in within if event.get("name") == "PipelineReporter"
    ]
    scrolled = [_argument(event, "scroll_jank_v4") for event in within if event.get("name") == "ScrollJankV4"]
    return Smoothness(
        main_frames=sum(frame.get("state") == "STATE_PRESENTED_ALL" for frame in frames),
        dropped_frames=sum(
            frame.get("state") == "STATE_DROPPED" and bool(frame.get("affects_smoothness"))
            for frame in frames
        ),
        delayed_pct=_percent([bool(frame.get("is_janky")) for frame in scrolled]),
    )


def _is_within(event: Event, performed: Performed, late_s: float) -> bool:
    time_s = event["ts"] / 1e6
    return any(span.start_s <= time_s <= span.end_s + late_s for span in performed.spans)


def _argument(event: Event, name: str) -> Event:
    found = event.get("args", {}).get(name)
    return found if isinstance(found, dict) else {}


def _percent(are: Sequence[bool]) -> float | None:
    return 100 * sum(are) / len(are) if are else None
