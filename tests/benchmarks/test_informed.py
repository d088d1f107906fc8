"""What the policies that are told more than ours come to."""

import numpy as np

from runtime.choose.simulation import replay
from runtime.device.soc import load_profile
from tests.benchmarks._informed import Filtered, Informed
from tests.benchmarks.simulation.platform import platform_of
from tests.benchmarks.simulation.workload import standard, standard_levels

PENALTY = 2.0


def test_not_to_be_told_the_level_costs_more():
    platform, seeds = platform_of(load_profile("exynos5422")), range(3)
    frames = standard(platform.top_khz, 30.0, seeds, 20.0)
    levels = standard_levels(30.0, seeds, 20.0)

    def cost(governor):
        ran = replay(platform, frames, governor)
        price_mj = PENALTY * frames.period_ms * platform.power_mw.max() / 1e3
        return float(ran.energy_mj.sum() + price_mj * np.sum(ran.late))

    told = cost(Informed(platform, frames, levels, PENALTY))
    learnt = cost(Filtered(platform, frames.period_ms, PENALTY))
    assert told < learnt < 1.2 * told
