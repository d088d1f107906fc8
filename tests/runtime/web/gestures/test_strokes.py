import itertools

import pytest

from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.room import Room
from runtime.web.gestures.strokes import all_events, strokes_of, turns

PHONE = Room(412.0, 915.0, 1.0, 10_000.0)


def deltas(strokes):
    return [event.params["deltaY"] for event in all_events(strokes)]


def test_a_wheel_turns_evenly_at_sixty_events_a_second():
    (stroke,) = strokes_of(Gesture("scroll", 1800.0), PHONE, 2.0)
    assert deltas([stroke]) == [30.0] * 120
    assert [event.at_s for event in stroke.events[:3]] == pytest.approx([0, 1 / 60, 2 / 60])
    assert stroke.end_s == 2.0
    assert stroke.events[0].params | {"deltaY": 0} == {
        "type": "mouseWheel", "x": 206.0, "y": 457.5, "deltaX": 0, "deltaY": 0,
    }  # fmt: skip


def test_a_short_page_is_scrolled_back_and_forth():
    short = Room(412.0, 915.0, 1.0, 100.0)
    scroll = Gesture("scroll", 1800.0)
    tops = list(itertools.accumulate(deltas(strokes_of(scroll, short, 1.0))))
    assert tops[:8] == [30, 60, 90, 60, 30, 0, 30, 60]
    assert turns(scroll, short, 1.0)
    assert not turns(scroll, PHONE, 1.0)


def test_a_page_without_room_is_refused():
    with pytest.raises(ValueError, match="can be scrolled by 3 px, less than one event's 30"):
        strokes_of(Gesture("scroll", 1800.0), Room(412.0, 915.0, 1.0, 3.0), 1.0)


def test_a_touch_pad_s_fling_slows_down_as_chrome_s_curve_does():
    fling = strokes_of(Gesture("fling", 3000.0), PHONE, 2.0)
    first = deltas(fling[:1])
    # velocity = 5707.62 * 3.7 * exp(-3.7 t) - 172, from where it is 3000
    assert first[0] == pytest.approx(3000 / 60)
    assert first[30] == pytest.approx((3172 * 2.718281828 ** (-3.7 * 0.5) - 172) / 60, rel=1e-6)
    assert all(after < before for before, after in itertools.pairwise(first))
    assert fling[1].start_s > fling[0].end_s


def test_a_finger_drags_rests_and_leaves():
    strokes = strokes_of(Gesture("scroll", 1800.0, "touch"), PHONE, 1.0)
    names = [event.params["type"] for event in strokes[0].events]
    assert names == ["touchStart", *["touchMove"] * (len(names) - 2), "touchEnd"]
    ys = [event.params["touchPoints"][0]["y"] for event in strokes[0].events[:-1]]
    assert ys[0] - ys[-1] == pytest.approx(0.7 * 915)
    moved_s = strokes[0].events[-2].at_s - strokes[0].start_s
    assert (ys[0] - ys[-1]) / moved_s == pytest.approx(1800, rel=0.05)
    assert strokes[0].events[-1].at_s - strokes[0].events[-2].at_s == pytest.approx(0.1)
    assert not strokes[0].runs_on


def test_a_finger_that_flings_leaves_in_motion_and_the_page_runs_on():
    (stroke, *_) = strokes_of(Gesture("fling", 3000.0, "touch"), PHONE, 1.0)
    assert stroke.events[-1].at_s - stroke.events[-2].at_s == pytest.approx(1 / 120)
    assert stroke.runs_on
    assert stroke.end_s > stroke.events[-1].at_s + 1


@pytest.mark.parametrize(("source", "hz"), [("wheel", 60), ("touch", 120)])
def test_fingers_are_looked_at_twice_a_frame_so_that_each_frame_has_something_new(source, hz):
    (stroke, *_) = strokes_of(Gesture("scroll", 1800.0, source), PHONE, 1.0)
    moves_s = [event.at_s for event in stroke.events[:20]]
    assert [later - one for one, later in itertools.pairwise(moves_s)] == pytest.approx([1 / hz] * 19)


def test_swipes_turn_where_the_page_ends():
    strokes = strokes_of(Gesture("scroll", 1800.0, "touch"), Room(412.0, 915.0, 1.0, 1000.0), 3.0)
    ways = []
    for stroke in strokes:
        ys = [event.params["touchPoints"][0]["y"] for event in stroke.events[:-1]]
        ways.append(1 if ys[0] > ys[-1] else -1)
    assert ways[:4] == [1, -1, 1, -1]  # 640 of 1000 px at a time: a second one down does not fit


def test_on_a_page_made_for_a_desk_fingers_are_placed_in_its_own_pixels():
    desk = Room(412.0, 915.0, 0.42, 10_000.0)
    (stroke, *_) = strokes_of(Gesture("scroll", 1800.0, "touch"), desk, 0.1)
    assert stroke.events[0].params["touchPoints"][0]["x"] == pytest.approx(206 / 0.42)


def test_two_fingers_part_by_the_factor_at_the_speed():
    out, back, *_ = strokes_of(Gesture("pinch", 400.0, "touch", 2.0), PHONE, 1.0)

    def gaps(stroke):
        points = [event.params["touchPoints"] for event in stroke.events[:-1]]
        return [two["y"] - one["y"] for one, two in points]

    # In the page's pixels, which grow by the same factor, the distance stays: on the screen it doubles.
    assert gaps(out)[0] == pytest.approx(0.6 * 915 / 2)
    assert gaps(out)[-1] == pytest.approx(0.6 * 915 / 2)
    assert out.end_s - out.start_s == pytest.approx(0.6 * 915 / 2 / 400, abs=1 / 60)
    xs = [event.params["touchPoints"][0]["x"] for event in back.events[:-1]]
    assert (xs[0], xs[-1]) == pytest.approx((103, 206))


def test_a_synthesised_pinch_stays_within_what_a_zoomed_page_shows():
    out, back, *_ = strokes_of(Gesture("pinch", 400.0, "wheel", 2.0), PHONE, 1.0)
    assert [each.events[0].params["scaleFactor"] for each in (out, back)] == [2.0, 0.5]
    assert (out.events[0].params["x"], out.events[0].params["y"]) == (100, 200)
    assert out.events[0].waits


@pytest.mark.parametrize("source", ["wheel", "touch"])
@pytest.mark.parametrize("kind", ["scroll", "fling", "pinch"])
def test_movements_follow_each_other_until_the_time_is_full(kind, source):
    gesture = Gesture(kind, 800.0, source, 2.0 if kind == "pinch" else 1.0)
    strokes = strokes_of(gesture, PHONE, 4.0)
    assert strokes[-1].end_s >= 4.0
    times_s = [event.at_s for event in all_events(strokes)]
    assert times_s == sorted(times_s)
