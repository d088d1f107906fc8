import pytest

from runtime.web.gestures.gesture import Gesture, parse_gesture


@pytest.mark.parametrize(
    ("text", "gesture"),
    [
        ("scroll", Gesture("scroll", 1800.0)),
        ("scroll:900.5", Gesture("scroll", 900.5)),
        ("fling:2500@touch", Gesture("fling", 2500.0, "touch")),
        ("pinch", Gesture("pinch", 400.0, "touch", 2.0)),
        ("pinch:200x3@wheel", Gesture("pinch", 200.0, "wheel", 3.0)),
    ],
)
def test_a_gesture_is_read_from_text(text, gesture):
    assert parse_gesture(text) == gesture


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tap",
        "scroll:",
        "scroll:0",
        "scroll:-5",
        "scroll:1e9",
        "scrollx2",
        "pinchx1",
        "pinchx9",
        "fling@pen",
        "scroll:1.2.3",
    ],
)
def test_what_is_no_gesture_says_how_to_write_one(text):
    with pytest.raises(ValueError, match="write for example scroll:1800"):
        parse_gesture(text)


def test_gestures_that_differ_have_names_that_differ():
    texts = (
        "scroll:900",
        "scroll:1800",
        "scroll:900@touch",
        "fling:900",
        "pinch:400x2",
        "pinch:400x3",
        "pinch:400x2@wheel",
    )
    assert len({parse_gesture(text).name for text in texts}) == len(texts)
