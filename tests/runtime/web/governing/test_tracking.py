"""Which gesture is under way, from the events of a page: played without a browser."""

import math

import pytest

from runtime.web.gestures.inputs import Input, parse_input
from runtime.web.governing.tracking import QUIET_S, Tracker

FRAME_MS = 1000 / 60


def wheel(number, px=30.0, fingers=1, period_ms=FRAME_MS):
    return Input("wheel", number * period_ms, 0.0, px, fingers)


def touch(kind, number, y, fingers=1):
    return Input(kind, FRAME_MS * number, 100.0, y, fingers)


def play(tracker, events, period_s=0.016):
    for number, event in enumerate(events):
        tracker.note(event, number * period_s)
    return tracker.gesture


def test_the_speed_of_a_wheel_is_read_from_its_first_events():
    tracker = Tracker()
    gesture = play(tracker, [wheel(n, px=30.0 if n < 4 else 300.0) for n in range(20)])
    assert (gesture.kind, gesture.source) == ("scroll", "wheel")
    assert gesture.speed == pytest.approx(1800.0)  # what came later is another matter
    assert gesture.read_s == pytest.approx(0.05)


def test_one_event_is_a_gesture_of_about_a_frame_s_movement():
    assert play(Tracker(), [wheel(0, px=20.0)]).speed == pytest.approx(1200.0)


def test_steps_of_late_frames_that_come_at_once_are_no_faster_gesture():
    late = [Input("wheel", at_ms, 0.0, 30.0, 1) for at_ms in (0.0, 3.7, 60.0, 80.0)]
    assert play(Tracker(), late).speed == pytest.approx(1800.0)
    assert play(Tracker(refresh_hz=120.0), late).speed == pytest.approx(3600.0)


def test_a_gesture_is_over_after_a_quiet_while_and_not_before():
    tracker = Tracker()
    gesture = play(tracker, [wheel(n) for n in range(5)])
    assert tracker.due_s == pytest.approx(0.064 + QUIET_S)
    assert tracker.end(0.064 + QUIET_S - 0.01) is None
    tracker.note(Input("scroll", 100.0, 0, 0, 0), 0.2)  # the page still scrolls
    assert tracker.end(0.064 + QUIET_S) is None
    assert tracker.end(0.2 + QUIET_S) is gesture
    assert (tracker.gesture, tracker.due_s) == (None, math.inf)


def test_a_page_that_scrolls_by_itself_is_no_gesture():
    assert play(Tracker(), [Input("scroll", 16.0 * n, 0, 0, 0) for n in range(5)]) is None


def test_a_wheel_with_control_zooms():
    assert play(Tracker(), [wheel(n, fingers=2) for n in range(3)]).kind == "pinch"


def test_a_finger_scrolls_and_what_it_leaves_in_movement_is_a_fling():
    tracker = Tracker()
    moves = [touch("touchstart", 0, 800.0), *(touch("touchmove", n, 800.0 - 20 * n) for n in range(1, 8))]
    gesture = play(tracker, moves)
    assert (gesture.kind, gesture.source) == ("scroll", "touch")
    assert gesture.speed == pytest.approx(1200.0)
    assert tracker.end(5.0) is None  # the finger rests on the screen
    tracker.note(touch("touchend", 8, 0.0, fingers=0), 0.12)
    assert (gesture.kind, round(gesture.speed)) == ("fling", 1200)
    assert tracker.end(5.0) is gesture


def test_two_fingers_pinch_at_a_speed_that_is_not_told():
    tracker = Tracker()
    moves = [touch("touchstart", 0, 400.0, 1), touch("touchstart", 1, 400.0, 2)]
    gesture = play(tracker, [*moves, *(touch("touchmove", n, 400.0 + n, 2) for n in range(2, 8))])
    assert (gesture.kind, gesture.source, gesture.speed) == ("pinch", "touch", 0.0)


def test_a_finger_that_rests_before_it_leaves_is_no_fling():
    tracker = Tracker()
    moves = [touch("touchstart", 0, 800.0), *(touch("touchmove", n, 800.0 - 20 * n) for n in range(1, 8))]
    gesture = play(tracker, [*moves, touch("touchend", 14, 0.0, fingers=0)])  # nothing for 0.1 s
    assert gesture.kind == "scroll"


def test_what_a_wheel_says_is_scaled_by_how_far_the_page_went():
    """A browser that plays a phone's screen says 11 pixels where it scrolls 30."""
    tracker, speeds, at_s = Tracker(), [], 0.0
    for _ in range(2):
        for number in range(10):
            at_s += 0.016
            tracker.note(Input("wheel", 1e3 * at_s, 0.0, 30 / 2.625, 1), at_s)
            tracker.note(Input("scroll", 1e3 * at_s, 0.0, 30.0 * number, 0), at_s)
        at_s += 1.0
        speeds.append(tracker.end(at_s).speed)
    assert speeds == [pytest.approx(1800.0), pytest.approx(1800.0, rel=0.15)]


def test_a_tap_is_no_gesture():
    assert play(Tracker(), [touch("touchstart", 0, 400.0), touch("touchend", 3, 0.0, 0)]) is None


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "[]",
        "null",
        '["wheel", 1, 2, 3]',
        '["wheel", 1, 2, 3, "x"]',
        "[" * 5000,
        '["wheel", 1e999, 0, 0, 1]',
    ],
)
def test_what_a_page_says_that_is_no_input_is_passed_over(payload):
    assert parse_input(payload) is None
