"""What users accept, and what one user said he does."""

from dataclasses import replace

import pytest

from runtime.errors import DataError, WebError
from runtime.web.gestures.gesture import Gesture
from runtime.web.governing.accepted import AcceptedRate, AcceptedRates, read_accepted, write_accepted
from runtime.web.governing.calibrate import Calibration, calibrate, read_answers

RATE = AcceptedRate("news", "scroll", 0.2, 40.0, 36.0, 44.0, (60.0, 30.0), (True, False), "2026-01-01")


def test_his_own_page_counts_alone_and_others_by_their_share_of_images():
    mine = AcceptedRates((RATE, replace(RATE, page="photos", image_share=0.6, fps=50.0)))
    assert mine.of("scroll", 0.9, "news") == 40.0
    assert mine.of("scroll", 0.4, "other") == pytest.approx(45.0)
    assert (mine.of("scroll", 0.0), mine.of("scroll", 1.0)) == (40.0, 50.0)
    assert mine.of("pinch", 0.0) == 23.0  # of which he was not asked: users


def test_a_page_that_is_asked_about_again_has_the_new_answer(tmp_path):
    kept = AcceptedRates((RATE,)).with_rate(replace(RATE, kind="pinch")).with_rate(replace(RATE, fps=20.0))
    write_accepted(tmp_path / "mine.json", kept)
    assert [(each.kind, each.fps) for each in read_accepted(tmp_path / "mine.json").rates] == [
        ("pinch", 40.0),
        ("scroll", 20.0),
    ]


@pytest.mark.parametrize("text", ["", "[]", '{"rates": [{}]}', '{"rates": 7}'])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(DataError, match="edgekit web calibrate"):
        read_accepted(path)
    with pytest.raises(DataError, match="there is no file"):
        read_accepted(tmp_path / "none.json")


def test_rates_that_nobody_accepts_are_refused():
    with pytest.raises(ValueError, match="1 to 240"):
        replace(RATE, fps=1e6)


def test_answers_are_read_line_by_line(tmp_path):
    path = tmp_path / "answers"
    path.write_text("y\n\n N \n")
    answer = read_answers(path)
    assert (answer(1), answer(2)) == (True, False)
    with pytest.raises(DataError, match="has 2 answers, and a further one is asked"):
        answer(3)
    path.write_text("y\nmaybe\n")
    with pytest.raises(DataError, match="answer 2 is 'maybe'"):
        read_answers(path)


def test_without_a_display_nobody_can_be_asked(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(WebError, match=r"no display here to see the page on .* --answers FILE"):
        calibrate(Calibration("data:text/html,x", Gesture("scroll", 1800.0)), lambda number: True)
