"""The account of a cluster's supply, against the formula written out."""

import pytest

from runtime.device.soc.account import Rail, work_mj

KHZ = 1_000_000
RAIL = Rail({KHZ: 100.0}, {KHZ: 60.0}, {KHZ: 20.0}, collapsed_mw=4.0, up_share=0.25)


def test_a_span_costs_what_the_formula_says():
    # E / T = D + (S - D) t_on / T + (P - S) t_busy / T, up a quarter of the time anyway, busy for half.
    up = 0.25 + 0.75 * 0.5
    assert RAIL.mean_mw(KHZ, 0.5) == pytest.approx(4 + 16 * up + 80 * 0.5)
    assert RAIL.mean_mw(KHZ, 2.5) == pytest.approx(100 + 60 * 1.5)


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_what_work_adds_is_the_difference_to_no_work(cores):
    assert RAIL.work_mw(KHZ, cores) == pytest.approx(RAIL.mean_mw(KHZ, cores) - RAIL.mean_mw(KHZ, 0.0))


def test_a_cluster_that_is_up_anyway_is_not_paid_for_again():
    kept_up, on_its_own = (
        Rail({KHZ: 100.0}, {KHZ: 60.0}, {KHZ: 20.0}, 4.0, share).work_mw(KHZ) for share in (1.0, 0.0)
    )
    assert (kept_up, on_its_own) == (80.0, 96.0)


def test_energy_is_power_times_time():
    assert work_mj(450.0, 20.0) == 9.0
