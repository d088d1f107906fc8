import numpy as np

from runtime.frame_policy import WorkEstimate
from runtime.frame_policy.work import EDGES


def seen(*works) -> WorkEstimate:
    estimate = WorkEstimate()
    for work in works:
        estimate.observe(np.array([float(work)]), np.array([0]))
    return estimate


def test_level_is_the_mean_of_a_scene():
    assert abs(seen(*[9, 11] * 10).level[0] - 10) < 0.1


def test_one_heavy_frame_does_not_move_the_level():
    assert seen(*[10] * 10, 20).level[0] == 10
    assert seen(*[10] * 10, 20, 10).level[0] == 10


def test_two_frames_far_off_are_another_scene():
    assert 29 < seen(*[10] * 20, 30, 30).level[0] < 31
    assert 2.9 < seen(*[10] * 20, 3, 3).level[0] < 3.1


def test_a_small_step_is_followed():
    assert 11.8 < seen(*[10] * 30, *[12.5] * 12).level[0] < 13


def test_heavy_frames_are_learned():
    steady = seen(*[10] * 300).survival()[0, -1]
    heavy = seen(*([10] * 9 + [20]) * 40).survival()[0, -1]
    between = int(np.searchsorted(EDGES, 1.5))
    assert steady[between] < 0.02
    assert heavy[between] > 0.06


def test_lanes_are_independent():
    estimate = WorkEstimate(lanes=2)
    for _ in range(5):
        estimate.observe(np.array([4.0]), np.array([1]))
    assert np.isnan(estimate.level[0])
    assert estimate.level[1] == 4
