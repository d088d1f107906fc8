"""The kernel's governors as they are played: their rules, by hand."""

import pytest

from runtime.device.actuators import CpuFreq
from runtime.device.soc import load_profile
from tests.benchmarks._kernel_governors import follower


@pytest.fixture
def big(tmp_path):
    cluster = load_profile("gs101").cluster("big")
    return lambda governor: (
        follower(governor, CpuFreq(tmp_path), cluster),
        [o.freq_khz for o in cluster.opps],
    )


def test_interactive_jumps_when_busy_and_steps_down_after_80_ms(big):
    played, clocks = big("interactive")
    assert played.choose(1.0, 0.02, clocks[0]) == clocks[-1]  # 99 % and above: the hispeed clock
    told = [played.choose(0.3, 0.02, clocks[-1]) for _ in range(4)]
    assert told[:3] == clocks[-1:] * 3
    assert told[3] == min(khz for khz in clocks if khz >= 0.3 / 0.9 * clocks[-1])


def test_schedutil_asks_for_a_quarter_more_than_it_uses_wherever_it_runs(big):
    played, clocks = big("schedutil+eas")
    for _ in range(100):
        khz = played.choose(0.5, 0.01, clocks[-1])
    assert khz == min(each for each in clocks if each >= 1.25 * 0.5 * clocks[-1])
