import math
import random

import pytest

from runtime.choose.decision import Feedback, Hysteresis


def after(slowdown, ratios, feedback=None):
    for ratio in ratios:
        slowdown = (feedback or Feedback()).next_slowdown(slowdown, 20.0 * ratio, 20.0)
    return slowdown


def test_it_rises_in_large_steps_and_falls_in_small_ones():
    assert after(1.0, [2.0]) == 1.5
    assert after(2.0, [1.0]) == 1.95
    assert after(1.0, [2.0] * 20) == pytest.approx(2.0)
    assert after(2.0, [0.8] * 200) == pytest.approx(0.8, rel=1e-3)


def test_with_jitter_it_settles_where_excess_and_shortfall_balance():
    draw, feedback = random.Random(0), Feedback(rise=0.02, fall=0.002)
    ratios = [draw.gauss(0.8, 0.1) for _ in range(30_000)]
    settled = after(1.0, ratios, feedback)
    excess = sum(max(ratio - settled, 0) for ratio in ratios) * feedback.rise
    shortfall = sum(max(settled - ratio, 0) for ratio in ratios) * feedback.fall
    assert excess == pytest.approx(shortfall, rel=0.3)


def test_what_cannot_be_a_latency_changes_nothing():
    for latency_ms in (math.nan, math.inf, -math.inf, 0.0, -5.0):
        assert Feedback().next_slowdown(1.3, latency_ms, 20.0) == 1.3
    for high_ms in (0.0, -1.0, math.nan, math.inf):
        assert Feedback().next_slowdown(1.3, 20.0, high_ms) == 1.3


def test_it_stays_within_its_bounds():
    assert after(1.0, [1e6] * 3) == 8.0
    assert after(1.0, [1e-6] * 300) == 0.5


@pytest.mark.parametrize("settings", [{"rise": 0.0}, {"fall": 0.9}, {"low": 1.5}, {"high": math.inf}])
def test_bounds_and_steps_are_checked(settings):
    with pytest.raises(ValueError, match="allowed: 0 < fall <= rise"):
        Feedback(**settings)


def test_a_dearer_row_is_taken_at_once_and_a_cheaper_one_after_calm_frames():
    row, calm, seen = -1, 0, []
    for wanted in (2, 5, 2, 2, 5, 2, 2, 2, 2):
        row, calm = Hysteresis(frames=3).next_row(row, wanted, calm)
        seen.append(row)
    assert seen == [2, 5, 5, 5, 5, 5, 5, 2, 2]
    with pytest.raises(ValueError, match="at least 1"):
        Hysteresis(frames=0)
