import time

import pytest

from runtime.web.browser.display import HEADLESS_HZ, lag_s
from runtime.web.browser.page import open_page
from runtime.web.frames.displayed import shown, traced
from runtime.web.gestures.perform import Performed, Span
from tests.runtime.web.toys import page as toy

LAG_S = lag_s(HEADLESS_HZ)


def of(*spans):
    return Performed(tuple(spans), 0.0)


def test_frames_within_the_movements_are_counted():
    # due from 10 + lag to 11 + lag; 9.9 and 11.2 are outside
    times_s = [9.9, 10.1, 10.2, 10.6, 11.0, 11.2]
    seen = shown(times_s, of(Span(10.0, 11.0)))
    assert seen.times_s == (10.1, 10.2, 10.6, 11.0)
    assert seen.window_s == pytest.approx(1.0)
    assert seen.fps == pytest.approx(4.0)
    gaps_ms = [100 - 1000 * LAG_S, 100, 400, 400, 1000 * LAG_S]
    assert seen.gaps_ms == pytest.approx(gaps_ms)


def test_time_between_movements_does_not_count():
    seen = shown([10.2, 12.2], of(Span(10.0, 10.5), Span(12.0, 12.5)))
    assert seen.window_s == pytest.approx(1.0)
    assert max(seen.gaps_ms) < 400


def test_a_display_that_refreshes_twice_as_often_shows_the_first_frame_in_half_the_time():
    slow, fast = (shown([10.02], of(Span(10.0, 11.0)), refresh_hz) for refresh_hz in (60.0, 120.0))
    assert (len(slow.times_s), len(fast.times_s)) == (0, 1)
    assert fast.gaps_ms[0] == pytest.approx(20 - 1000 * lag_s(120.0))


def test_a_fling_ends_with_its_last_frame():
    seen = shown([10.1, 10.4], of(Span(10.0, 12.0, runs_on=True)))
    assert seen.window_s == pytest.approx(0.4 - LAG_S)


def test_a_movement_without_a_frame_is_one_long_gap():
    seen = shown([], of(Span(10.0, 10.5)))
    assert seen.fps == 0
    assert seen.gaps_ms == pytest.approx([500])


def test_a_trace_holds_the_frames_that_a_page_drew(cdp):
    moving = "let n = 0; setInterval(() => document.body.style.paddingLeft = (n++ % 9) + 'px', 100)"
    with open_page(cdp) as page:
        page.navigate(toy("text", script=moving))
        time.sleep(0.5)  # its first frames are drawn
        with traced(cdp) as trace:
            page.evaluate("new Promise(done => setTimeout(done, 1500))")
    assert 11 <= len(trace.times_s()) <= 19  # fifteen changes
    assert {event["cat"] for event in trace.events} - {"__metadata"} == {
        "benchmark,viz,disabled-by-default-display.framedisplayed"
    }  # nothing else was traced: it would cost work
