"""What frames take over a table, learnt from them: up and down, by cluster, and as late as is allowed."""

import math
import random

import pytest

from runtime.choose.decision import Hysteresis, Slowdown, SlowdownRule
from runtime.choose.decision.hysteresis import Calm


def taught(ratios, clusters=1, rule=None):
    """Return what was learnt from frames on cluster 0 that took so many times the table's latency."""
    slowdown = Slowdown(clusters, rule)
    for ratio in ratios:
        slowdown.learn([(0, ratio)])
    return slowdown


def noise(count, level=1.0, sigma=0.03, seed=0):
    draw = random.Random(seed)
    return [level * max(0.1, draw.gauss(1.0, sigma)) for _ in range(count)]


def test_a_table_of_a_wide_bound_costs_it_only_until_frames_have_shown_what_they_take():
    slowdown = taught(noise(40, level=0.53))
    assert slowdown.of_cluster[0] == pytest.approx(0.53, rel=0.03)
    assert slowdown.upper < 1.12


def test_nothing_is_believed_before_three_frames():
    assert not taught([0.5, 0.5]).is_known
    assert taught([0.5, 0.9, 0.5]).of_cluster == [0.5]


@pytest.mark.parametrize("share", [0.005, 0.01, 0.05, 0.2])
@pytest.mark.parametrize("sigma", [0.02, 0.05, 0.15])
def test_as_many_frames_exceed_the_bound_as_are_allowed(share, sigma):
    slowdown, exceeded, draw = Slowdown(1, SlowdownRule(share)), 0, random.Random(1)
    for frame in range(6000):
        ratio = draw.lognormvariate(0.0, sigma)
        if frame >= 1000:
            exceeded += ratio > slowdown.of_cluster[0] * slowdown.upper
        slowdown.learn([(0, ratio)])
    assert exceeded / 5000 == pytest.approx(share, rel=0.35)


def test_rare_long_frames_widen_the_bound_until_it_holds_them():
    draw = random.Random(2)
    slowdown, exceeded = Slowdown(1), 0
    for frame in range(8000):
        ratio = 1.4 if draw.random() < 0.04 else draw.gauss(1.0, 0.02)
        if frame >= 2000:
            exceeded += ratio > slowdown.of_cluster[0] * slowdown.upper
        slowdown.learn([(0, ratio)])
    assert exceeded / 6000 < 0.02


def test_one_odd_frame_moves_little_and_two_are_a_slower_device():
    calm = taught(noise(60))
    odd = taught([*noise(60), 15.0])
    assert odd.of_cluster[0] == pytest.approx(calm.of_cluster[0], rel=0.01)
    assert odd.upper < 1.3 * calm.upper
    assert taught([*noise(60), 2.0, 2.1]).of_cluster[0] == pytest.approx(2.0, rel=0.05)
    assert taught([*noise(60), 0.5, 0.5]).of_cluster[0] > 0.9  # to be quicker takes three
    assert taught([*noise(60), 0.5, 0.5, 0.5]).of_cluster[0] == pytest.approx(0.5, rel=0.05)


def test_a_slow_drift_is_followed():
    assert taught([1 + frame / 500 for frame in range(500)]).of_cluster[0] == pytest.approx(1.95, rel=0.05)


def test_what_a_cluster_shows_at_first_is_its_own_and_later_the_whole_device_s():
    slowdown = taught(noise(60), clusters=2)
    for _ in range(4):
        slowdown.learn([(1, 1.3)])  # the table was wrong about it
    assert slowdown.of_cluster == pytest.approx([1.0, 1.3], rel=0.02)
    for ratio in noise(60):
        slowdown.learn([(0, ratio)])
    assert slowdown.of_cluster[1] == pytest.approx(1.3, rel=0.05)  # it is remembered
    for ratio in noise(20, level=1.5):
        slowdown.learn([(0, ratio)])
    assert slowdown.of_cluster == pytest.approx([1.5, 1.95], rel=0.08)


def test_a_cluster_that_was_too_slow_once_is_tried_again_after_a_while():
    slowdown = taught(noise(60), clusters=2)
    for _ in range(4):
        slowdown.learn([(1, 1.3)])
    for ratio in noise(10_000):
        slowdown.learn([(0, ratio)])
    assert slowdown.of_cluster[1] < 1.05


def test_a_frame_on_two_clusters_is_one_frame():
    slowdown = Slowdown(2)
    for _ in range(50):
        slowdown.learn([(0, 0.5), (1, 0.6)])
    assert slowdown.of_cluster == pytest.approx([1.1, 1.1], rel=0.01)


def test_frames_that_are_all_alike_keep_a_little_room():
    assert 1.005 < taught([0.5] * 200).upper < 1.02


def test_the_bound_has_an_end():
    slowdown = Slowdown(1)
    for frame in range(2000):
        slowdown.learn([(0, 5.0 if frame % 2 else 0.5)])
        assert 1.0 < slowdown.upper <= 2.0
        assert 0.1 <= slowdown.of_cluster[0] <= 8.0


@pytest.mark.parametrize(
    "settings", [{"late_share": 0.0}, {"late_share": 1.0}, {"step": 0.0}, {"least_spread": 0.0}, {"low": 1.5}]
)
def test_rules_that_cannot_be_are_refused(settings):
    with pytest.raises(ValueError, match="cannot be; allowed: "):
        SlowdownRule(**settings)


def test_what_is_too_slow_is_left_at_once_and_for_something_cheaper_after_calm_frames():
    calm, left = Calm(), []
    for cost, wanted in ((math.inf, 5.0), (5.0, 4.0), (5.0, 4.0), (5.0, 5.0), *[(5.0, 4.0)] * 3):
        is_left, calm = Hysteresis(frames=3).step(cost, wanted, calm)
        left.append(is_left)
    assert left == [True, False, False, False, False, False, True]
    for wrong in ({"frames": 0}, {"gain": 1.0}):
        with pytest.raises(ValueError, match="it must be"):
            Hysteresis(**wrong)


@pytest.mark.parametrize(("saved", "frames"), [(0.2, 8), (0.01, 8), (0.004, 20), (0.001, 80)])
def test_the_less_something_saves_the_longer_it_takes_until_it_is_changed_to(saved, frames):
    """Rows less than one percent cheaper were never changed to."""
    calm, count, is_left = Calm(), 0, False
    while not is_left:
        count += 1
        is_left, calm = Hysteresis().step(100.0, 100.0 * (1 - saved), calm)
    assert count == pytest.approx(frames, abs=1)


def test_what_is_cheaper_by_turns_is_never_changed_to():
    calm = Calm()
    for frame in range(1000):
        is_left, calm = Hysteresis().step(100.0, 100.0 if frame % 7 == 0 else 95.0, calm)
        assert not is_left


@pytest.mark.parametrize("sigma", [0.02, 0.05])
@pytest.mark.parametrize("disturbed", ["outliers", "slow"])
def test_a_disturbance_is_forgotten_within_seconds_and_no_frame_is_late_for_it(sigma, disturbed):
    """The bound stayed wide for ten seconds and more."""
    draw = random.Random(4)
    before = taught(noise(600, sigma=sigma))
    slowdown, calm = before, before.of_cluster[0] * before.upper
    for _ in range(60):
        odd = draw.choice((1.0, 1.0, 1.6)) if disturbed == "outliers" else 1.4 * draw.lognormvariate(0, 0.15)
        slowdown.learn([(0, odd * draw.gauss(1.0, sigma))])
    assert slowdown.of_cluster[0] * slowdown.upper > 1.15 * calm
    exceeded = 0
    for _ in range(150):
        ratio = draw.gauss(1.0, sigma)
        exceeded += ratio > slowdown.of_cluster[0] * slowdown.upper
        slowdown.learn([(0, ratio)])
    assert exceeded <= 1
    assert slowdown.of_cluster[0] * slowdown.upper < calm + 1.5 * sigma


def test_bursts_of_long_frames_are_late_no_oftener_than_allowed_between_them():
    """A burst each ten seconds: what is forgotten between two of them is not paid for by late frames."""
    draw, slowdown, exceeded, count = random.Random(5), Slowdown(1), 0, 0
    for frame in range(12_000):
        is_burst = frame % 300 < 5
        ratio = draw.gauss(1.3 if is_burst else 1.0, 0.02)
        if frame >= 1000 and not is_burst:
            count += 1
            exceeded += ratio > slowdown.of_cluster[0] * slowdown.upper
        slowdown.learn([(0, ratio)])
    assert exceeded / count <= 0.0125


def test_other_work_that_is_over_when_frames_have_moved_away_is_over_for_all_clusters():
    slowdown = taught(noise(60), clusters=2)
    for _ in range(4):
        slowdown.learn([(0, 1.6)])
    for _ in range(3):
        slowdown.learn([(1, 1.0)])
    assert slowdown.of_cluster == pytest.approx([1.0, 1.0], rel=0.1)
