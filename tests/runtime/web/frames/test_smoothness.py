import pytest

from runtime.web.frames.smoothness import smoothness
from runtime.web.gestures.perform import Performed, Span

GESTURE = Performed((Span(10.0, 11.0),), 0.0)


def frame(time_s, state, affects=False, pid=7):
    report = {"state": state, "affects_smoothness": affects}
    return {
        "name": "PipelineReporter",
        "ph": "b",
        "pid": pid,
        "ts": 1e6 * time_s,
        "args": {"frame_reporter": report},
    }


def scrolled(time_s, is_janky):
    report = {"is_janky": is_janky}
    return {
        "name": "ScrollJankV4",
        "ph": "b",
        "pid": 7,
        "ts": 1e6 * time_s,
        "args": {"scroll_jank_v4": report},
    }


def test_frames_of_the_page_within_the_gesture_are_counted_by_what_became_of_them():
    events = [
        frame(10.1, "STATE_PRESENTED_ALL"),
        frame(10.2, "STATE_PRESENTED_PARTIAL"),
        frame(10.3, "STATE_DROPPED", affects=True),
        frame(10.4, "STATE_DROPPED"),  # nobody sees that
        frame(12.0, "STATE_DROPPED", affects=True),  # after it
        frame(10.5, "STATE_DROPPED", affects=True, pid=8),  # of another page
        *(scrolled(10.1 + i / 10, is_janky=i == 0) for i in range(4)),
    ]
    seen = smoothness(events, 7, GESTURE)
    assert (seen.main_frames, seen.dropped_frames) == (1, 1)
    assert seen.delayed_pct == pytest.approx(25)


def test_no_scroll_no_share():
    assert smoothness([], 7, GESTURE).delayed_pct is None


def test_what_a_browser_does_not_say_is_no_error():
    odd = [
        {"name": "PipelineReporter", "ph": "b", "pid": 7, "ts": 10.2e6},
        {"name": "x"},
        {"ph": "b", "pid": 7, "ts": 0},
    ]
    assert smoothness(odd, 7, GESTURE).dropped_frames == 0
