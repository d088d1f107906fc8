"""Gestures before and after a change of a page, and gates that fail when they got dearer."""

from dataclasses import replace

import pytest

from runtime.errors import DataError, RegressionError, UnreliableResult
from runtime.measure.compare import check_energy, check_fps, check_slowdown, compare_gestures
from tests.runtime.web.learning.gestures import record

BEFORE = (50.0, 50.4, 49.8, 50.2)


def runs(fps=BEFORE, page="index.html", **given):
    return [record(page, fps=each, **given) for each in fps]


def slow(fps):
    return runs(fps, freq_khz=600000)


def test_a_slower_page_is_found_and_an_equal_one_is_not():
    (same,) = compare_gestures(runs(), runs((50.2, 49.8, 50.4, 50.0)))
    assert (same.frame.verdict, round(same.fps)) == ("no difference", 50)
    (slower,) = compare_gestures(runs(), runs((42.0, 41.6, 42.2, 42.0)))
    assert slower.frame.verdict == "slower"
    assert slower.frame.ratio == pytest.approx(50 / 42, rel=0.01)
    check_slowdown([same.frame], 0.05)
    with pytest.raises(RegressionError, match=r"slower by more than the 5\.0% allowed"):
        check_slowdown([slower.frame], 0.05)


def test_of_an_emulated_machine_unstable_runs_count_and_of_a_real_one_they_do_not():
    slower = (42.0, 41.6, 42.2, 42.0)
    (emulated,) = compare_gestures(runs(verdict="unstable"), runs(slower, verdict="unstable"))
    assert emulated.frame.verdict == "slower"
    real = {"verdict": "unstable", "provenance": "measured"}
    (doubtful,) = compare_gestures(runs(**real), runs(slower, **real))
    assert doubtful.frame.verdict == "cannot tell"


def test_work_tells_what_a_fast_core_hides():
    dearer = {"main": 4.0, "viz": 2.0}
    (found,) = compare_gestures(runs((59.0,) * 4), runs((59.0,) * 4, work_ms=dearer))
    assert found.frame.verdict == "no difference"
    assert found.work.verdict == "slower"
    assert found.work.b_ms == 6.0


def test_a_rate_must_be_reached_on_the_fastest_core_or_on_every_one():
    found = compare_gestures(runs() + slow((20.0, 20.2)), runs((58.0, 58.2, 58.0)) + slow((20.0, 20.2)))
    check_fps(found, 55)
    with pytest.raises(RegressionError, match=r"fewer than 55 FPS: .*600 MHz x1: 20"):
        check_fps(found, 55, every=True)
    with pytest.raises(RegressionError, match="fewer than 59 FPS"):
        check_fps(found, 59)
    scattered = compare_gestures(runs(), runs((50.0, 60.0, 58.0)))
    with pytest.raises(UnreliableResult, match="unknown whether 55 FPS"):
        check_fps(scattered, 55)


def test_energy_is_that_of_a_second_of_the_gesture():
    (found,) = compare_gestures(runs(power_mw=500.0), runs(power_mw=540.0))
    assert found.frame.energy_ratio == pytest.approx(1.08)
    check_energy([found.frame], 0.10)
    with pytest.raises(RegressionError, match=r"more energy than the 5\.0% allowed"):
        check_energy([found.frame], 0.05)
    with pytest.raises(UnreliableResult, match="no energy"):
        check_energy([each.frame for each in compare_gestures(runs(), runs())], 0.05)


def test_pages_go_by_name_unless_each_side_has_one():
    (renamed,) = compare_gestures(runs(page="before.html"), runs(page="after.html"))
    assert renamed.page == "before.html -> after.html"
    two = runs(page="a") + runs(page="b")
    assert [each.page for each in compare_gestures(two, two)] == ["a", "b"]
    with pytest.raises(DataError, match=r"BEFORE has a on .*, b on .*; AFTER has c"):
        compare_gestures(two, runs(page="c"))
    with pytest.raises(DataError, match="AFTER holds no records of gestures"):
        compare_gestures(two, [])


def test_a_rate_that_the_display_does_not_show_is_refused():
    found = compare_gestures(runs(), runs())
    with pytest.raises(ValueError, match=r"90 frames a second on emulated.*its display refreshed at 60 Hz"):
        check_fps(found, 90)


def test_displays_that_refresh_at_other_rates_are_not_compared():
    faster = [replace(each, gesture=replace(each.gesture, refresh_hz=120.0)) for each in runs()]
    with pytest.raises(ValueError, match="refreshed at 60 Hz before and 120 Hz after; set it to one rate"):
        compare_gestures(runs(), faster)
