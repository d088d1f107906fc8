"""The kernel's governors, each step by hand."""

import pytest

from runtime.baselines import (
    Domain,
    biggest,
    fixed,
    pelt,
    performance,
    place_by_energy,
    powersave,
    schedutil,
    simulate,
)

SLOW_AND_FAST = Domain("big", 1, (500, 1000), (512.0, 1024.0), (160.0, 80.0), (100.0, 400.0))
LITTLE = Domain("little", 1, (500, 1000), (128.0, 256.0), (80.0, 40.0), (20.0, 60.0))
BIG = Domain("big", 1, (1000, 2000), (512.0, 1024.0), (20.0, 10.0), (300.0, 1000.0))


def test_load_halves_in_32_ms_of_sleep_and_fills_by_half_in_32_ms_of_work():
    assert pelt(1024, 0, 32) == pytest.approx(512)
    assert pelt(0, 1024, 32) == pytest.approx(512)
    assert pelt(0, 512, 32) == pytest.approx(256)  # half the speed, half the credit
    assert pelt(800, 800, 5) == pytest.approx(800)


@pytest.mark.parametrize(
    ("util", "index"),
    [(0, 0), (400, 0), (409.6, 0), (410, 1), (820, 1), (1024, 1)],
)
def test_schedutil_takes_the_lowest_clock_at_or_above_125_percent(util, index):
    # 1.25 * 1000 kHz * 409.6 / 1024 = 500 kHz
    assert schedutil(SLOW_AND_FAST, util) == index


def test_performance_and_powersave_are_the_ends():
    assert performance(SLOW_AND_FAST, 0) == 1
    assert powersave(SLOW_AND_FAST, 1024) == 0


def test_schedutil_climbs_after_19_ticks_of_a_long_frame():
    """From rest at 512: 512 (1 - 2^(-t/32)) passes 409.6 at t = 74.3 ms, the next tick is 76 ms.

    Then 1 - 76/160 = 0.525 of the frame is left, 42 ms at the fast clock: 118 ms in all, and
    76 ms * 100 mW + 42 ms * 400 mW = 24.4 mJ.
    """
    outcome = simulate("schedutil", SLOW_AND_FAST, schedutil, fps=1, frames=1, settle=0)
    assert outcome.latency_ms == pytest.approx(118)
    assert outcome.energy_mj == pytest.approx(24.4)
    assert (outcome.freq_low_khz, outcome.freq_high_khz) == (500, 1000)
    assert outcome.late_frames == 0


def test_fixed_clock_costs_power_times_latency_and_waiting_is_free():
    outcome = simulate("policy", BIG, fixed(0), fps=25, frames=10, settle=0)
    assert outcome.energy_mj == pytest.approx(300 * 20 / 1000)
    assert outcome.fps == pytest.approx(25)
    assert outcome.late_frames == 0


def test_clock_too_slow_for_the_rate_is_late_every_time_and_reaches_its_own_fps():
    outcome = simulate("powersave", BIG, powersave, fps=60, frames=100)
    assert outcome.late_frames == 100
    assert outcome.fps == pytest.approx(50)  # 20 ms a frame, back to back


def test_frame_that_ends_with_its_period_is_not_late():
    assert simulate("policy", BIG, fixed(1), fps=100, frames=20).late_frames == 0


def test_power_that_is_unknown_leaves_the_energy_unknown():
    domain = Domain("big", 1, (1000, 2000), (512.0, 1024.0), (20.0, 10.0), (300.0, None))
    assert simulate("performance", domain, performance, fps=10, frames=5).energy_mj is None
    assert simulate("powersave", domain, powersave, fps=10, frames=5).energy_mj is not None


def test_task_goes_where_it_fits_at_the_least_energy():
    # Period 100 ms: little util 256 * 40 / 100 = 102.4; 128 wanted, so 500 kHz: 20 mW * 102.4 / 128 = 16 mW.
    # Big util 1024 * 10 / 100 = 102.4; 128 wanted, so 1000 kHz: 300 mW * 102.4 / 512 = 60 mW.
    assert place_by_energy([LITTLE, BIG], 100.0) is LITTLE


def test_task_that_fits_only_the_big_cluster_goes_there():
    # Period 45 ms: little util 256 * 40 / 45 = 227.6, times 1.25 exceeds 256.
    assert place_by_energy([LITTLE, BIG], 45.0) is BIG


def test_task_that_fits_nowhere_goes_to_the_biggest():
    assert place_by_energy([LITTLE, BIG], 5.0) is BIG is biggest([BIG, LITTLE])


def test_placement_prefers_a_cluster_whose_power_is_known():
    dark = Domain("little", 1, (500, 1000), (128.0, 256.0), (80.0, 40.0), (None, None))
    assert place_by_energy([dark, BIG], 100.0) is BIG
