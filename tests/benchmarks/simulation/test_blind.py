import numpy as np
import pytest

from tests.benchmarks.simulation.blind import least_blind_uj

SPEED, POWER_MW = np.array([1.0, 2.0, 4.0]), np.array([10.0, 40.0, 240.0])


def test_without_scatter_it_is_the_mix_that_ends_just_in_time():
    # 0.4 ms for a unit of work: between speeds 2 (0.5 ms, 20 uJ) and 4 (0.25 ms, 60 uJ), 40 % of the way.
    assert least_blind_uj(SPEED, POWER_MW, 0.4, 1e-9, 0.01) == pytest.approx(36.0, rel=0.01)
    assert least_blind_uj(SPEED, POWER_MW, 2.0, 1e-9, 0.01) == pytest.approx(10.0, rel=0.01)


def test_scatter_costs_less_than_running_all_of_a_frame_for_the_longest():
    spread, longest = 0.05, 1 + 2.326 * 0.05
    blind = least_blind_uj(SPEED, POWER_MW, 0.4, spread, 0.01)
    one_pace = least_blind_uj(SPEED, POWER_MW, 0.4 / longest, 1e-9, 0.01)
    assert 36.0 < blind < one_pace


def test_what_no_point_is_fast_enough_for_has_none():
    assert least_blind_uj(SPEED, POWER_MW, 0.24, 0.01, 0.01) is None
