"""A network's frames under governors, each step by hand."""

import pytest

from runtime.choose.simulation import (
    EnergyAware,
    Performance,
    Powersave,
    Schedutil,
    replay_frames,
    timed_platform,
)

BIG = {
    "clusters": ["big", "big"],
    "freqs_khz": [500, 1000],
    "capacities": [512.0, 1024.0],
    "latencies_ms": [160.0, 80.0],
    "powers_mw": [100.0, 400.0],
}


def platform(**changes):
    return timed_platform("toy", **(BIG | changes))


def test_schedutil_climbs_after_19_ticks_of_a_long_frame():
    """From rest at 512: 512 (1 - 2^(-t/32)) passes 409.6 at t = 74.3 ms, the next tick is 76 ms.

    Then 1 - 76/160 = 0.525 of the frame is left, 42 ms at the fast clock: 118 ms in all, and
    76 ms * 100 mW + 42 ms * 400 mW = 24.4 mJ.
    """
    outcome = replay_frames("schedutil", platform(), Schedutil, fps=1, frames=1, settle=0)
    assert outcome.latency_ms == pytest.approx(118)
    assert outcome.energy_mj == pytest.approx(24.4)
    assert (outcome.freq_low_khz, outcome.freq_high_khz) == (500, 1000)
    assert outcome.late_frames == 0


def test_held_clock_costs_power_times_latency_and_waiting_is_free():
    outcome = replay_frames("policy", platform(), Performance, fps=10, frames=20)
    assert outcome.energy_mj == pytest.approx(400 * 80 / 1000)
    assert (outcome.governor, outcome.cluster, outcome.freq_low_khz) == ("policy", "big", 1000)
    assert (outcome.fps, outcome.late_frames) == (pytest.approx(10), 0)


def test_waiting_power_counts_from_frame_to_frame():
    # 700 mW for 80 ms, 50 mW for 20 ms of each 100 ms.
    awake = platform(powers_mw=[400.0, 700.0], idle_mw=50.0)
    outcome = replay_frames("policy", awake, Performance, fps=10, frames=20)
    assert outcome.energy_mj == pytest.approx((700 * 80 + 50 * 20) / 1000)


def test_clock_too_slow_for_the_rate_is_late_every_time_and_reaches_its_own_fps():
    outcome = replay_frames("powersave", platform(), Powersave, fps=60, frames=50)
    assert outcome.late_frames == 50
    assert outcome.fps == pytest.approx(1000 / 160)
    assert outcome.energy_mj == pytest.approx(100 * 160 / 1000)


def test_frame_that_ends_with_its_period_is_not_late():
    assert replay_frames("policy", platform(), Performance, fps=12.5, frames=20).late_frames == 0


def test_only_a_power_that_was_used_and_is_unknown_leaves_the_energy_unknown():
    half = platform(powers_mw=[100.0, None])
    assert replay_frames("performance", half, Performance, fps=5, frames=5).energy_mj is None
    assert replay_frames("powersave", half, Powersave, fps=5, frames=5).energy_mj == pytest.approx(16.0)


def test_latencies_not_clocks_make_the_speed():
    # Memory-bound: twice the clock is 25 % faster.
    bound = platform(latencies_ms=[100.0, 80.0])
    assert replay_frames("powersave", bound, Powersave, fps=5, frames=5).latency_ms == pytest.approx(100)


def test_energy_aware_placement_takes_the_cheaper_cluster_and_never_the_dark_one():
    both = {
        "clusters": ["little", "big"],
        "freqs_khz": [1000, 1000],
        "capacities": [512.0, 1024.0],
        "latencies_ms": [20.0, 10.0],
    }
    light = timed_platform("toy", **both, powers_mw=[20.0, 300.0])
    assert replay_frames("eas", light, EnergyAware, fps=10, frames=10).cluster == "little"
    dark = timed_platform("toy", **both, powers_mw=[None, 300.0])
    assert replay_frames("eas", dark, EnergyAware, fps=10, frames=10).cluster == "big"
