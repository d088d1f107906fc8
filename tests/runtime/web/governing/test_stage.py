"""Gestures done on a page under one governor after another, and what the machine did meanwhile."""

import os

import pytest

from runtime.device.setting import Setting
from runtime.targets.local import LocalTarget
from runtime.web.browser.processes import find_processes
from runtime.web.gestures.gesture import Gesture
from runtime.web.governing.goal import FrameGoal
from runtime.web.governing.machine_watch import Look, MachineWatch
from runtime.web.governing.page_governor import PageGovernor
from runtime.web.governing.stage import Stage, governed
from runtime.web.governing.trials import OURS
from runtime.web.governing.work_model import WorkModel
from tests.runtime.web.governing.pages import ROWS

SCROLL = Gesture("scroll", 1800.0)


def test_a_gesture_is_the_same_one_governed_and_not(page, phone):
    target = LocalTarget()
    stage = Stage(target, page, "corpus/rows", called="local", duration_s=1.0)
    kernel = stage.at(Setting(target.profile.clusters[-1].name, None), SCROLL, 30.0)
    assert (kernel.governor != OURS, kernel.predicted_fps) == (True, None)

    def make(on_gesture):
        return PageGovernor(page, WorkModel(ROWS.rows), FrameGoal(30.0), phone.path, on_gesture=on_gesture)

    with governed(make) as governing:
        ours, gestures = stage.under(governing, SCROLL)
    assert (ours.governor, ours.predicted_fps) == (OURS, gestures[-1].predicted_fps)
    assert all(each.choose_ms and each.hold_ms for each in gestures)
    for trial in (kernel, ours):
        assert (trial.page, trial.gesture, trial.fps_target) == ("corpus/rows", "scroll-1800", 30.0)
        assert trial.window_s == pytest.approx(1.0, abs=0.5)
        assert sum(trial.gaps_ms) == pytest.approx(1e3 * trial.window_s)
        assert trial.fps > 1
    assert ours.fps == pytest.approx(sum(each.frames for each in gestures) / ours.window_s, rel=0.2)
    stage.close()
    assert page.evaluate("1 + 1") == 2


def test_a_governor_that_cannot_begin_says_why(page, tmp_path):
    def make(on_gesture):
        return PageGovernor(page, WorkModel(ROWS.rows), FrameGoal(), str(tmp_path / "none"))

    with pytest.raises(Exception, match="not governed any more"), governed(make):
        raise AssertionError("it began")


def watched(*looks):
    """Return a watch that has seen: at_s, cluster, kHz, mJ, updates."""
    target = LocalTarget()
    watch = MachineWatch(target, os.getpid())
    watch.looks = [Look(*each) for each in looks]
    return watch


def test_clocks_count_from_when_they_were_seen_and_power_is_a_mean_of_a_while():
    watch = watched(
        (9.90, "big", 2000, 0.0, 0),
        (10.0, "little", 400, 10.0, 1),
        (10.05, "little", 600, 15.0, 2),
        (10.10, "little", 600, 15.0, 2),  # the meter had nothing new
        (10.20, None, None, 40.0, 3),
        (10.30, "big", 2000, 140.0, 4),
        (11.0, "big", 1000, 900.0, 5),
    )
    assert watch.clocks(10.0, 10.5) == (
        (0.0, "little", 400),
        (pytest.approx(0.05), "little", 600),
        (pytest.approx(0.3), "big", 2000),
    )
    powers = watch.powers_mw(10.0, 10.4)
    assert [at_s for at_s, _ in powers] == [0.0, pytest.approx(0.2)]
    assert [mw for _, mw in powers] == [pytest.approx(150.0), pytest.approx(1000.0)]
    assert watch.energy_mj(10.0, 10.3) == pytest.approx(130.0)
    assert watch.energy_mj(10.0, 12.0) is None


def test_without_a_meter_there_is_no_power():
    watch = watched((0.0, "big", 1, None, 0), (1.0, "big", 1, None, 0))
    assert (watch.powers_mw(0.0, 1.0), watch.energy_mj(0.1, 0.9)) == ((), None)


def test_the_page_is_found_on_the_cores_that_it_may_run_on(page):
    target = LocalTarget()
    watch = MachineWatch(target, find_processes(page).renderer)
    with watch:
        pass
    (first, *_) = target.profile.clusters
    is_one = len(target.profile.clusters) == 1
    assert watch.looks[0].cluster == (first.name if is_one else None)
    with MachineWatch(target, 2**22 - 1) as gone:  # no process
        assert gone.looks[0].cluster is None
