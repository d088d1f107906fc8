"""Fewer steps a second over the same way."""

import pytest

from runtime.web.gestures.gesture import Gesture, parse_gesture
from runtime.web.gestures.room import Room
from runtime.web.gestures.strokes import all_events, strokes_of
from runtime.web.gestures.thinning import thinned

ROOM = Room(412.0, 915.0, 1.0, 20_000.0)


@pytest.mark.parametrize("fps", [60.0, 45.0, 20.0, 7.0])
def test_a_wheel_goes_as_far_in_as_many_steps(fps):
    before = strokes_of(Gesture("scroll", 1800.0), ROOM, 2.0)
    after = thinned(before, fps)
    far = [sum(each.params["deltaY"] for each in all_events(strokes)) for strokes in (before, after)]
    assert far[1] == pytest.approx(far[0])
    assert len(all_events(after)) == pytest.approx(2 * fps, abs=1)
    assert after[0].end_s == before[0].end_s


@pytest.mark.parametrize("gesture", ["scroll@touch", "pinch"])
def test_fingers_come_and_go_where_they_did(gesture):
    before = strokes_of(parse_gesture(gesture), ROOM, 2.0)
    after = thinned(before, 15.0)
    for stroke, thin in zip(before, after, strict=True):
        assert thin.events[0] == stroke.events[0]
        assert thin.events[-2:] == stroke.events[-2:]
        moves = [each.at_s for each in thin.events if each.params["type"] == "touchMove"]
        assert len(moves) <= 15 * (stroke.end_s - stroke.start_s) + 3


@pytest.mark.parametrize("gesture", ["fling@touch", "pinch@wheel"])
def test_what_the_browser_moves_itself_is_refused(gesture):
    with pytest.raises(ValueError, match="at its own rate"):
        thinned(strokes_of(parse_gesture(gesture), ROOM, 1.0), 20.0)
