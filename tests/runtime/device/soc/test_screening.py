from dataclasses import replace

import pytest

from runtime.device.soc import Cluster, Opp, load_profile
from runtime.device.soc.screening import screen

# Ten rows of a core with 5 CoreMark per MHz and power that grows with the clock's square.
CLOCKS = tuple(range(500_000, 1_500_000, 100_000))
GOOD = Cluster(
    "big",
    "cortex-a76",
    (0,),
    tuple(Opp(khz, power_mw=(khz / 1e5) ** 2, coremark=khz / 200) for khz in CLOCKS),
    power_source="test",
)


def spoil(index, **figures):
    opps = list(GOOD.opps)
    opps[index] = replace(opps[index], **figures)
    return screen(replace(GOOD, opps=tuple(opps)))


def test_good_rows_are_kept():
    assert screen(GOOD) == (GOOD, ())


def test_half_the_speed_means_another_clock():
    cluster, left_out = spoil(0, coremark=1250.0)
    assert [row.freq_khz for row in left_out] == [500_000]
    assert "speed per MHz is 0.50 of the cluster's median" in left_out[0].reason
    assert cluster.opps[0].power_mw is None
    assert len(cluster.opps) == len(GOOD.opps)  # the clock itself exists


def test_a_clock_that_is_not_reached_brings_no_speed():
    _, left_out = spoil(-1, coremark=GOOD.opps[-2].coremark * 1.001)
    assert [row.freq_khz for row in left_out] == [1_400_000]
    assert "the clock was not reached" in left_out[0].reason


def test_power_far_below_its_neighbours_is_left_out():
    _, left_out = spoil(5, power_mw=14.0)
    assert [row.freq_khz for row in left_out] == [1_000_000]
    assert left_out[0].reason == "14 mW, its neighbours' trend says 100 mW"


def test_power_far_above_its_neighbours_is_left_out():
    _, left_out = spoil(5, power_mw=170.0)
    assert [row.freq_khz for row in left_out] == [1_000_000]


def test_a_busy_core_takes_more_than_nothing():
    _, left_out = spoil(3, power_mw=0.0)
    assert left_out[0].reason == "a busy core cannot take 0 mW"
    _, left_out = spoil(3, power_mw=0.12)  # 120 mW, filed in W
    assert left_out[0].reason == "a busy core cannot take 0.12 mW"


@pytest.mark.parametrize("most_w", [0.196, 1.2, 4.6])
def test_a_table_in_watt_is_refused_whole(most_w):
    in_w = replace(GOOD, opps=tuple(replace(opp, power_mw=opp.power_mw / 196 * most_w) for opp in GOOD.opps))
    cluster, left_out = screen(in_w)
    assert len(left_out) == len(GOOD.opps)
    assert all(opp.power_mw is None for opp in cluster.opps)


def test_a_voltage_step_is_believed():
    _, left_out = spoil(-1, power_mw=196 * 1.2)
    assert left_out == ()


def test_three_rows_are_too_few_for_a_trend():
    few = replace(
        GOOD, opps=(Opp(500_000, power_mw=25), Opp(600_000, power_mw=400), Opp(700_000, power_mw=49))
    )
    assert screen(few)[1] == ()


def test_the_noisy_little_cluster_of_msm8998_loses_its_outliers():
    rows = {(row.cluster, row.freq_khz) for row in load_profile("msm8998").left_out}
    assert {("little", 364800), ("little", 1036800), ("big", 2457600)} <= rows
    assert len(rows) == 3  # of 53; over the least idle sample of a phone that cools down it were 9


def test_power_far_above_that_of_faster_clocks_is_left_out():
    # Alone at the slow end it bends the trend towards itself.
    _, left_out = spoil(0, power_mw=90.0)
    assert [row.freq_khz for row in left_out] == [500_000]
    assert left_out[0].reason == "90 mW, the next 3 faster clocks take 49 mW"
