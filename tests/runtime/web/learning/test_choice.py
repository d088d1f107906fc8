"""Which setting is taken for a gesture, and what governors make of the same frames."""

from dataclasses import replace

import numpy as np
import pytest

from runtime.device.setting import Setting
from runtime.device.soc import load_profile
from runtime.web.gestures.gesture import Gesture
from runtime.web.learning.baselines import outcome_of, outcomes
from runtime.web.learning.choice import (
    FrameEstimate,
    Offer,
    PageState,
    choose_setting,
    frame_estimates,
    observed,
    way_of,
)
from runtime.web.learning.measured import measured
from runtime.web.learning.model import RUN, UNRUN, fit_way
from runtime.web.learning.table import gesture_table
from runtime.web.learning.truth import known_settings, page_truth, spread_of
from tests.runtime.web.learning.gestures import world

PROFILE = load_profile("exynos5422")
RECORDS, KNOWN = world()
TABLE = gesture_table(measured(RECORDS)[0], KNOWN)
SETTINGS = known_settings(TABLE, PROFILE)
GESTURE = Gesture("scroll", 1800.0)


@pytest.fixture(scope="module")
def models():
    return {way: fit_way(way, TABLE, learners=("ridge",)) for way in (UNRUN, RUN)}


def estimates(models, page):
    model = way_of(page, models)
    return frame_estimates(model, page, GESTURE, Offer.of(model, SETTINGS, PROFILE, 60.0))


LIGHT = PageState({"nodes": 300.0, "shadows": 2.0}, {"main": 0.8, "compositor": 0.9, "viz": 1.0})
HEAVY = PageState({"nodes": 4000.0, "shadows": 30.0}, {"main": 4.0, "compositor": 0.9, "viz": 4.5})


def test_the_cheapest_setting_that_holds_the_target_is_taken(models):
    found = estimates(models, LIGHT)
    choice = choose_setting(found, 60)
    holding = [each for each in found if each.low_fps >= 57]
    assert choice.meets_target
    assert choice.chosen == min(holding, key=lambda each: each.mean_mw)
    assert "holds 95% of 60 FPS for" in choice.reason


def test_lower_targets_and_lighter_pages_take_less_power(models):
    light = [choose_setting(estimates(models, LIGHT), fps).chosen.mean_mw for fps in (60, 45, 30)]
    heavy = [choose_setting(estimates(models, HEAVY), fps).chosen.mean_mw for fps in (45, 30)]
    assert light[0] > light[1] > light[2]
    assert heavy[0] > light[1]
    assert heavy[1] > light[2]


def test_margin_asks_for_more(models):
    found = estimates(models, HEAVY)
    assert choose_setting(found, 30, margin_pct=20).chosen.low_fps >= 0.95 * 36


def test_no_margin_is_asked_for_beyond_what_a_display_shows(models):
    found = estimates(models, LIGHT)
    assert choose_setting(found, 60, margin_pct=10) == choose_setting(found, 60)


def test_settings_of_other_clusters_are_not_predicted(models):
    model = way_of(LIGHT, models)
    with pytest.raises(ValueError, match="only settings on big, little can be predicted"):
        frame_estimates(model, LIGHT, GESTURE, Offer.of(model, [Setting("prime", 2000000)], PROFILE, 60.0))


def test_where_nothing_holds_the_target_what_is_as_sure_as_the_surest_is_taken(models):
    found = estimates(models, HEAVY)
    choice = choose_setting(found, 500)
    surest = max(each.low_fps for each in found)
    as_good = [each for each in found if each.low_fps >= 0.99 * surest]
    assert not choice.meets_target
    assert choice.chosen == min(as_good, key=lambda each: each.mean_mw)
    assert "no setting is sure" in choice.reason


def test_a_faster_clock_that_promises_nothing_is_not_taken():
    slow, fast = (
        FrameEstimate(Setting("big", khz), fps, low, 60.0, busy, power_mw)
        for khz, fps, low, busy, power_mw in (
            (1_000_000, 58.0, 56.0, 0.5, 400.0),
            (2_000_000, 58.3, 56.5, 0.3, 1600.0),
        )
    )
    choice = choose_setting([slow, fast], 60)
    assert choice.chosen == slow
    assert not choice.meets_target


def test_a_page_that_never_ran_is_less_sure(models):
    unrun = estimates(models, PageState(LIGHT.features))
    run = estimates(models, LIGHT)
    widths = [[each.fps / each.low_fps for each in found] for found in (unrun, run)]
    assert sum(widths[0]) > sum(widths[1])


def test_a_slow_run_of_a_page_moves_what_is_expected_towards_it(models):
    page = PageState(LIGHT.features)
    before = {each.setting: each for each in estimates(models, page)}
    slow = min(before, key=lambda setting: before[setting].fps)
    runs = [(slow, 0.7 * before[slow].fps)]
    page = observed(page, models[UNRUN], GESTURE, runs, Offer.of(models[UNRUN], SETTINGS, PROFILE, 60.0))
    after = {each.setting: each for each in estimates(models, page)}
    assert after[slow].fps < 0.85 * before[slow].fps
    assert after[slow].fps / after[slow].low_fps < before[slow].fps / before[slow].low_fps


def test_a_page_unlike_all_others_is_refused_and_told_why(models):
    monster = PageState({"nodes": 1e7, "shadows": 1.0}, {"main": 400.0, "viz": 90.0})
    with pytest.raises(ValueError, match="log work of a frame"):
        estimates(models, monster)


def test_a_page_that_nothing_predicts_is_said_so(models):
    with pytest.raises(ValueError, match="run it once"):
        way_of(PageState({}), {RUN: models[RUN]})


def test_governors_run_the_same_frames_and_none_beats_the_best_that_holds_the_target(models):
    case = TABLE.select(TABLE.case == 0)
    truth = page_truth(models[RUN], case, SETTINGS, PROFILE)
    measured_fps = {row.setting: row.fps for row in case.rows}
    for each in truth.estimates:
        if each.setting in measured_fps:
            assert each.fps == pytest.approx(measured_fps[each.setting], rel=0.12)
    choice = choose_setting(truth.estimates, 30)
    shown = {each.setting: each for each in truth.estimates}
    (found,) = outcomes(truth, PROFILE, [30])
    found["policy"] = outcome_of(shown[choice.chosen.setting], 30)
    assert set(found) == {"performance", "interactive", "schedutil", "eas", "ebs", "policy", "best"}
    assert not found["policy"].misses
    assert found["best"].mean_mw <= found["policy"].mean_mw * 1.001
    assert found["policy"].mean_mw < found["interactive"].mean_mw < found["performance"].mean_mw
    holding = [each.mean_mw for each in found.values() if not each.misses]
    assert found["best"].mean_mw == min(holding)


def test_frames_differ_by_as_much_as_bends_the_rate():
    """A core with time for as many mean frames as the display shows loses what the curve says."""
    work = np.exp(np.random.default_rng(0).normal(0.0, spread_of(6.0), 100_000))
    work /= work.mean()
    assert 1 / np.maximum(1.0, work).mean() == pytest.approx(2.0 ** (-1 / 6.0), rel=0.01)


def test_a_page_that_waits_for_something_else_is_given_no_faster_core(models):
    waiting = replace(LIGHT, most_fps=30.0)
    fastest = max(estimates(models, waiting), key=lambda each: each.fps)
    assert fastest.fps == pytest.approx(30, rel=0.05)
    light, held = (choose_setting(estimates(models, page), 60).chosen for page in (LIGHT, waiting))
    assert held.mean_mw < 0.7 * light.mean_mw
