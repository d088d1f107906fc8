import numpy as np
import pytest

from runtime.choose.frame_policy import FramePolicy
from runtime.choose.frame_policy.belief import LEVELS, STEP
from runtime.choose.simulation import Interactive, Performance, replay
from runtime.device.soc import load_profile
from tests.benchmarks.simulation.governed import Governed
from tests.benchmarks.simulation.oracle import Oracle
from tests.benchmarks.simulation.platform import platform_of
from tests.benchmarks.simulation.workload import buffered, standard

SPEED, POWER_MW = np.array([1.0, 2.0, 4.0]), np.array([100.0, 300.0, 1200.0])


def policy(**changes) -> FramePolicy:
    return FramePolicy(SPEED, POWER_MW, **{"period_ms": 20.0} | changes)


def test_the_first_frame_runs_at_the_fastest_point():
    assert policy().decide(np.array([20.0])).point[0, 0] == 2


def test_a_frame_that_runs_long_is_sped_up():
    ours = policy(transition_ms=0.1, miss_penalty=3.0)
    rng = np.random.default_rng(1)
    for _ in range(200):
        ours.observe(np.array([24.0 * rng.normal(1, 0.1) * (2 if rng.random() < 0.05 else 1)]))
    plan = ours.decide(np.array([20.0]))
    assert SPEED[plan.point[0, 0]] < 4
    assert SPEED[plan.point[0, 1]] > SPEED[plan.point[0, 0]]
    assert SPEED[plan.point[0, -1]] == 4


def test_a_plan_is_that_of_its_bin_and_lasts_as_long_as_the_level_asks():
    ours = policy()
    for _ in range(20):
        ours.observe(np.array([20.0]))
    row = int(np.round(np.log(ours.belief.level[0] / LEVELS[0]) / np.log(STEP)))
    here = ours.decide(np.array([20.0]))
    for level in (LEVELS[row] * STEP**-0.49, LEVELS[row] * STEP**0.49):
        ours.belief.level[0] = level
        for remaining_ms in (20.0, 20.0 - 0.4):  # half a bin less: rounded to the next
            plan = ours.decide(np.array([remaining_ms]))
            if remaining_ms == 20.0:
                assert (plan.point == here.point).all()
                scale = plan.until_ms[0, 0] / here.until_ms[0, 0]
                assert scale == pytest.approx(level / LEVELS[row], rel=0.06)
            assert np.isinf(plan.until_ms[0, -1])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"period_ms": 0.0}, "period_ms is 0"),
        ({"miss_penalty": 0.0}, "miss_penalty is 0"),
        ({"deadline_ms": 1.0}, "deadline_ms is 1"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        policy(**changes)


SOC = platform_of(load_profile("rk3399"))


def test_it_saves_over_interactive_and_is_late_hardly_more_often_than_the_fastest_clock():
    frames = standard(SOC.top_khz, 60, range(6), duration_s=10)
    ours, interactive, best, fastest = (
        replay(SOC, frames, governor)
        for governor in (
            Governed(SOC, frames.period_ms),
            Interactive(SOC),
            Oracle(SOC, frames),
            Performance(SOC),
        )
    )
    assert best.energy_mj.sum() < ours.energy_mj.sum() < interactive.energy_mj.sum()
    assert ours.late_pct < fastest.late_pct + 2


def test_with_a_buffer_it_saves_as_much_as_the_best_of_each_frame_at_fewer_late_frames():
    frames = buffered(standard(SOC.top_khz, 60, range(6), duration_s=10))
    ours, interactive, best = (
        replay(SOC, frames, governor)
        for governor in (
            Governed(SOC, frames.period_ms, 2 * frames.period_ms),
            Interactive(SOC),
            Oracle(SOC, frames),
        )
    )
    base = interactive.energy_mj.sum()
    assert base - ours.energy_mj.sum() > 0.9 * (base - best.energy_mj.sum())
    assert ours.late_pct < best.late_pct
