import numpy as np

from runtime.choose.frame_policy.frontier import frontier

SPEED = np.array([1.0, 2.0, 3.0, 4.0, 2.0])
POWER_MW = np.array([100.0, 300.0, 900.0, 1200.0, 500.0])


def test_frontier_leaves_out_points_that_two_others_beat():
    points = frontier(SPEED, POWER_MW)
    assert points.point.tolist() == [0, 1, 3]  # 3.0 costs as much as 4.0 per unit; the second 2.0 costs more
    assert (np.diff(points.time) < 0).all()
    assert (np.diff(points.energy) > 0).all()


def test_a_point_alone_is_a_frontier():
    assert frontier(np.array([2.0]), np.array([5.0])).point.tolist() == [0]
