import numpy as np
import pytest

from runtime.choose.simulation import periodic
from tests.benchmarks.simulation.optimum import PowerHull, pace, paces

HULL = PowerHull(np.array([1.0, 2.0, 4.0]), np.array([10.0, 40.0, 240.0]))


def slopes(*frames):
    """Return (duration, speed) of the pace of frames (arrival, due, work)."""
    found = pace(*(np.array(column, dtype=float) for column in zip(*frames, strict=True)))
    return [(round(ms, 6), round(speed, 6)) for ms, speed in zip(found.duration_ms, found.speed, strict=True)]


def test_power_is_that_of_the_best_mix_of_points_and_waiting():
    assert HULL.power_mw(np.array([0.0, 0.5, 1.5, 3.0, 4.0])).tolist() == [0, 5, 25, 140, 240]
    dear = PowerHull(np.array([1.0, 2.0, 4.0]), np.array([30.0, 40.0, 240.0]))  # the slowest is no bargain
    assert dear.power_mw(np.array([1.0])).tolist() == [20]


def test_a_frame_that_must_end_before_the_next_comes_takes_its_period():
    assert slopes((0, 10, 20), (10, 20, 5), (20, 30, 10)) == [(10, 2), (10, 0.5), (10, 1)]


def test_with_a_buffer_a_heavy_frame_takes_time_from_the_light_one_behind_it():
    # 30 and 10 in 30 ms: 30 by 20 ms is a speed of 1.5, then 10 in the 10 ms that are left.
    assert slopes((0, 20, 30), (10, 30, 10)) == [(20, 1.5), (10, 1)]
    # The other way round the heavy one cannot begin before it is there: 10 in 10 ms, then 30 in 20.
    assert slopes((0, 20, 10), (10, 30, 30)) == [(10, 1), (20, 1.5)]
    # Equal ones: 40 in 30 ms, no bend.
    assert slopes((0, 20, 20), (10, 30, 20)) == [(30, round(4 / 3, 6))]


def test_nothing_is_done_before_it_is_there():
    assert slopes((0, 5, 5), (20, 25, 5)) == [(5, 1), (15, 0), (5, 1)]


def test_a_late_frame_is_due_when_the_policy_had_it_done():
    frames = periodic(np.array([[20.0, 5.0]]), fps=100)
    strict, own = paces(frames, np.zeros((1, 2))) + paces(frames, np.array([[15.0, 18.0]]))
    assert strict.speed.tolist() == [2.0, 0.5]
    assert own.duration_ms.tolist() == pytest.approx([15.0, 5.0])
    assert own.speed.tolist() == pytest.approx([4 / 3, 1.0])
    assert own.energy_uj(HULL) == pytest.approx(15 * 20 + 5 * 10)


@pytest.mark.parametrize("seed", range(6))
def test_no_linear_program_finds_less(seed):
    """Work of each frame in each stretch between moments, at each corner of the hull, all free."""
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(seed)
    count = 7
    arrival_ms = np.cumsum(rng.uniform(1, 10, count))
    due_ms = np.maximum.accumulate(arrival_ms + rng.uniform(8, 25, count))
    work = rng.uniform(1, 8, count)
    speed, power_mw = np.array([1.0, 2.0, 4.0]), np.array([10.0, 40.0, 240.0])
    moments = np.unique(np.concatenate([arrival_ms, due_ms]))
    begins, ends = moments[:-1], moments[1:]
    allowed = (arrival_ms[:, None] <= begins + 1e-9) & (ends <= due_ms[:, None] + 1e-9)
    # ms of frame i in stretch j at point k
    shape = (count, len(begins), len(speed))
    cost = np.broadcast_to(power_mw, shape).ravel()
    done = np.zeros((count, *shape))
    for frame in range(count):
        done[frame, frame] = speed
    used = np.zeros((len(begins), *shape))
    for stretch in range(len(begins)):
        used[stretch, :, stretch] = 1
    limits = [(0, None if ok else 0) for ok in np.repeat(allowed, len(speed))]
    found = optimize.linprog(
        cost, used.reshape(len(begins), -1), ends - begins, done.reshape(count, -1), work, limits
    )
    assert found.status == 0
    ours = pace(arrival_ms, due_ms, work).energy_uj(PowerHull(speed, power_mw))
    assert ours == pytest.approx(found.fun, rel=1e-6)
