import numpy as np
import pytest

from runtime.frame_policy import FramePolicy
from runtime.simulation import Governed, Interactive, Oracle, Performance, platform_of, replay, standard
from runtime.soc import load_profile

SPEED, POWER_MW = np.array([1.0, 2.0, 4.0]), np.array([100.0, 300.0, 1200.0])


def test_the_first_frame_runs_at_the_fastest_point():
    assert FramePolicy(SPEED, POWER_MW).decide(np.array([20.0])).point[0, 0] == 2


def test_a_frame_that_runs_long_is_sped_up():
    policy = FramePolicy(SPEED, POWER_MW)
    rng = np.random.default_rng(1)
    for number in range(400):
        work = 12.0 * rng.normal(1, 0.1) * (2 if rng.random() < 0.05 else 1)
        arrival_ms = np.array([20.0 * number])
        policy.observe(np.array([work]), arrival_ms, arrival_ms + 20, arrival_ms + 15)
    plan = policy.decide(np.array([20.0]))
    assert SPEED[plan.point[0, 0]] < 4
    assert (np.diff(SPEED[plan.point[0]]) >= 0).all()
    assert SPEED[plan.point[0, -1]] == 4


def test_a_share_of_late_frames_must_be_one():
    with pytest.raises(ValueError, match="late_share is 0"):
        FramePolicy(SPEED, POWER_MW, late_share=0)


def test_it_saves_over_interactive_and_is_late_hardly_more_often_than_the_fastest_clock():
    soc = platform_of(load_profile("sm8250"))
    frames = standard(soc.top_khz, 60, range(3), duration_s=20)
    ours, interactive, best, fastest = (
        replay(soc, frames, governor)
        for governor in (Governed(soc), Interactive(soc), Oracle(soc, frames), Performance(soc))
    )
    assert best.energy_mj.sum() < ours.energy_mj.sum() < interactive.energy_mj.sum()
    assert ours.late_pct < fastest.late_pct + 2
