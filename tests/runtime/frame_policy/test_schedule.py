import itertools

import numpy as np
import pytest

from runtime.frame_policy.schedule import frontier, schedules

SPEED = np.array([1.0, 2.0, 3.0, 4.0, 2.0])
POWER_MW = np.array([100.0, 300.0, 900.0, 1200.0, 500.0])


def test_frontier_leaves_out_points_that_two_others_beat():
    points = frontier(SPEED, POWER_MW)
    assert points.point.tolist() == [0, 1, 3]  # 3.0 costs as much as 4.0 per unit; the second 2.0 costs more
    assert (np.diff(points.slope) > 0).all()


def test_a_point_alone_is_a_frontier():
    assert frontier(np.array([2.0]), np.array([5.0])).point.tolist() == [0]


def test_schedules_never_slow_down_within_a_frame():
    found = schedules(frontier(SPEED, POWER_MW), np.array([1.0, 2, 3, 4]), np.array([0.9, 0.5, 0.1, 0.0]))
    assert (np.diff(found.rung, axis=-1) >= 0).all()


def test_schedules_are_the_best_of_all_for_their_time():
    points = frontier(SPEED, POWER_MW)
    edges, survival = np.array([1.0, 2, 3, 4]), np.array([0.9, 0.5, 0.1, 0.0])
    alive = np.array([1.0, 0.9, 0.5, 0.1])
    found = schedules(points, edges, survival)
    everything = [
        (points.time[list(rungs)].sum(), float(points.energy[list(rungs)] @ alive))
        for rungs in itertools.product(range(3), repeat=4)
    ]
    for end, energy in zip(found.end[:, -1], found.energy[:, -1], strict=True):
        best = min(cost for took, cost in everything if took <= end + 1e-9)
        assert energy == pytest.approx(best, rel=0.01)
