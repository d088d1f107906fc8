import time

import pytest

from runtime.errors import DataError
from runtime.web.browser.page import open_page
from runtime.web.gestures.gesture import parse_gesture
from runtime.web.gestures.inputs import Input, Recording, watch_inputs
from runtime.web.gestures.perform import perform
from runtime.web.gestures.recording import (
    read_recording,
    recorded_gesture,
    recorded_strokes,
    write_recording,
)
from runtime.web.gestures.room import Room, look
from runtime.web.gestures.strokes import strokes_of
from tests.runtime.web.toys import page as toy

PHONE = Room(412.0, 915.0, 1.0, 10_000.0)
TEXT = "".join(f"<p>line {i} of a page with some words" for i in range(400))


def wheel(at_ms, y):
    return Input("wheel", at_ms, 0.0, y, 1)


def touch(kind, at_ms, y, fingers=1):
    return Input(f"touch{kind}", at_ms, 200.0, y, fingers)


def rest(page):
    """Return where a page stands once it has stood there for a while."""
    tops = [-1, page.evaluate("scrollY")]
    while tops[-1] != tops[-2] or tops[-1] == 0:
        time.sleep(0.5)
        tops.append(page.evaluate("scrollY"))
    return tops[-1]


def swipe(start_ms, step_px, rest_ms=0.0):
    moves = [touch("move", start_ms + 16 * i, 700 - step_px * i) for i in range(1, 9)]
    end = touch("end", moves[-1].at_ms + 16 + rest_ms, 0.0, 0)
    return [touch("start", start_ms, 700.0), *moves, end]


def test_a_wheel_is_turned_again_at_its_own_times():
    inputs = [wheel(1000 + 16 * i, 20.0) for i in range(11)] + [wheel(3000, -40.0), wheel(3016, -40.0)]
    recorded = Recording("read", tuple(inputs))
    gesture = recorded_gesture(recorded)
    assert (gesture.name, gesture.kind, gesture.source) == ("recorded-read", "scroll", "wheel")
    first, second = recorded_strokes(recorded, PHONE)  # two seconds lie between
    assert [event.params["deltaY"] for event in first.events] == [20.0] * 11
    assert [event.at_s for event in first.events[:2]] == pytest.approx([0, 0.016])
    assert second.start_s == pytest.approx(2.0)
    assert second.events[0].params["deltaY"] == -40.0


def test_a_finger_that_leaves_in_motion_is_a_fling_and_one_that_rests_is_none():
    flung = recorded_gesture(Recording("a", tuple(swipe(0, 30))))
    assert (flung.kind, flung.source) == ("fling", "touch")
    assert flung.speed == pytest.approx(30 * 8 / 0.144, rel=0.01)
    assert recorded_strokes(flung.recorded, PHONE)[0].runs_on
    dragged = recorded_gesture(Recording("b", tuple(swipe(0, 30, rest_ms=500))))
    assert dragged.kind == "scroll"
    assert [event.params["type"] for event in recorded_strokes(dragged.recorded, PHONE)[0].events][::9] == [
        "touchStart", "touchEnd",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ([], "holds no scroll"),
        ([Input("scroll", 0, 0, 0, 0)], "holds no scroll"),
        ([wheel(0, 1e9), wheel(1, 1)], "no finger makes"),
        ([wheel(10, 1.0), wheel(0, 1.0)], "back in time"),
        ([touch("start", 0, 0, 2), touch("move", 16, 10, 2)], "two fingers"),
    ],
)
def test_what_cannot_be_done_again_is_said(inputs, reason):
    with pytest.raises(DataError, match=reason):
        recorded_gesture(Recording("x", tuple(inputs)))


def test_a_file_keeps_a_recording(tmp_path):
    write_recording(tmp_path / "read.json", swipe(0, 30))
    assert read_recording(tmp_path / "read.json") == recorded_gesture(Recording("read", tuple(swipe(0, 30))))
    (tmp_path / "bad.json").write_text('[{"type": 3}]')
    with pytest.raises(DataError, match=r"bad\.json is no recorded gesture"):
        read_recording(tmp_path / "bad.json")


def test_what_is_done_on_one_page_is_recorded_and_moves_another_as_far(cdp):
    inputs = []
    with open_page(cdp) as page:
        page.navigate(toy(TEXT))
        end = watch_inputs(page, inputs.append)
        perform(page, strokes_of(parse_gesture("scroll:1200"), look(page), 1.0))
        moved = rest(page)
        end()
    gesture = recorded_gesture(Recording("again", tuple(inputs)))
    with open_page(cdp) as other:
        other.navigate(toy(TEXT))
        perform(other, recorded_strokes(gesture.recorded, look(other)))
        assert rest(other) == pytest.approx(moved, rel=0.1)
