import numpy as np
import pytest

from runtime.choose.frame_policy import WorkBelief
from runtime.choose.frame_policy.belief import HEAVY_SHARES, SPREADS


def seen(*works, lanes=1) -> WorkBelief:
    belief = WorkBelief(lanes, period_ms=20.0)
    for work in works:
        belief.observe(np.array([float(work)]), np.array([0]))
    return belief


def test_level_is_that_of_the_phase():
    assert seen(*[0.38, 0.42] * 10).level[0] == pytest.approx(0.4, rel=0.03)


def test_one_heavy_frame_does_not_move_the_level():
    before = seen(*[0.3] * 10).level[0]
    assert seen(*[0.3] * 10, 0.6).level[0] == pytest.approx(before, rel=0.02)
    assert seen(*[0.3] * 10, 0.6, 0.3).level[0] == pytest.approx(before, rel=0.02)


def test_frames_far_off_one_after_the_other_are_another_phase():
    assert seen(*[0.3] * 20, 0.7, 0.7, 0.7).level[0] == pytest.approx(0.7, rel=0.05)
    assert seen(*[0.6] * 20, 0.2, 0.2).level[0] == pytest.approx(0.2, rel=0.05)


def test_a_small_step_is_followed():
    assert 0.34 < seen(*[0.3] * 30, *[0.375] * 12).level[0] < 0.38


def test_scatter_is_learned():
    rng = np.random.default_rng(3)
    for spread in (0.05, 0.16, 0.24):
        belief = seen(*(0.3 * rng.normal(1, spread, 400)))
        assert SPREADS[belief.spread[0]] == spread


def test_heavy_frames_are_learned():
    steady, heavy = seen(*[0.3] * 900), seen(*([0.3] * 5 + [0.6]) * 150, *[0.3] * 6)
    assert HEAVY_SHARES[steady.heavy[0]] == 0.01
    assert HEAVY_SHARES[heavy.heavy[0]] == 0.2


def test_a_level_is_surer_the_more_frames_it_rests_on():
    rng = np.random.default_rng(4)
    works = 0.3 * rng.normal(1, 0.15, 400)
    settled = seen(*works)
    settled.observe(np.array([0.8]), np.array([0]))
    settled.observe(np.array([0.8]), np.array([0]))
    assert settled.spread[0] >= seen(*works).spread[0]


def test_work_beyond_the_grid_is_taken_for_its_end():
    assert seen(*[1e-6] * 3).level[0] < 0.05
    assert seen(*[50.0] * 3).level[0] > 1.4


def test_lanes_are_independent():
    belief = WorkBelief(2, period_ms=20.0)
    for _ in range(5):
        belief.observe(np.array([0.4]), np.array([1]))
    assert belief.known.tolist() == [False, True]
    assert belief.level[1] == pytest.approx(0.4, rel=0.06)
