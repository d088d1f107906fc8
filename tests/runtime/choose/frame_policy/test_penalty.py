"""What a late frame costs, by how many there are."""

import numpy as np
import pytest

from runtime.choose.frame_policy import FramePolicy
from runtime.choose.frame_policy.penalty import MissPenalty
from runtime.choose.simulation import replay
from runtime.device.soc import load_profile
from tests.benchmarks.simulation.governed import Governed
from tests.benchmarks.simulation.platform import platform_of
from tests.benchmarks.simulation.workload import buffered, standard

LANE = np.array([0])


def test_it_rises_with_late_frames_and_falls_without_and_stays_on_its_ladder():
    penalty = MissPenalty(1, late_share=0.1)
    seen = []
    for is_late in [True] * 30 + [False] * 3000:
        penalty.learn(np.array([is_late]), LANE)
        seen.append(penalty.ladder[penalty.level[0]])
    assert max(seen) == seen[29] == penalty.ladder[-1]
    assert seen[-1] == penalty.ladder[0]


def test_as_many_late_frames_as_are_allowed_keep_it_where_it_is():
    penalty = MissPenalty(1, late_share=0.1)
    for frame in range(2000):
        penalty.learn(np.array([frame % 10 == 0]), LANE)
    assert penalty.ladder[penalty.level[0]] == 1.0


def test_a_fixed_one_stays():
    penalty = MissPenalty(2, fixed=3.0)
    for _ in range(50):
        penalty.learn(np.array([True, False]), np.array([0, 1]))
    assert penalty.ladder == (3.0,)
    assert penalty.level.tolist() == [0, 0]


def test_frames_that_no_clock_saves_do_not_make_late_ones_dearer():
    policy = FramePolicy(np.array([1.0, 2.0]), np.array([100.0, 400.0]), period_ms=20.0)
    before = policy.miss_penalty.level[0]
    for _ in range(50):
        policy.observe(np.array([50.0]), late=np.array([True]), remaining_ms=np.array([20.0]))
    assert policy.miss_penalty.level[0] <= before
    for _ in range(50):
        policy.observe(np.array([30.0]), late=np.array([True]), remaining_ms=np.array([20.0]))
    assert policy.miss_penalty.level[0] > before


@pytest.mark.parametrize("share", [0.0, 1.0, float("nan")])
def test_shares_that_cannot_be_are_refused(share):
    with pytest.raises(ValueError, match="late_share is"):
        MissPenalty(1, share)


def test_more_late_frames_are_allowed_for_less_energy():
    soc = platform_of(load_profile("gs101"))
    frames = buffered(standard(soc.top_khz, 30, range(2), duration_s=20))
    ran = []
    for share in (0.005, 0.1):
        governor = Governed(soc, frames.period_ms, 2 * frames.period_ms, late_share=share)
        ran.append(replay(soc, frames, governor))
    assert ran[1].energy_mj.sum() < 0.97 * ran[0].energy_mj.sum()
    assert ran[0].late_pct < 0.7 * ran[1].late_pct
