"""Each baseline against steps computed by hand from its formula."""

import numpy as np
import pytest

from runtime.choose.simulation import (
    Conservative,
    EnergyAware,
    EventBased,
    Interactive,
    Ondemand,
    Schedutil,
    periodic,
    replay,
)
from runtime.choose.simulation.utilisation import TICK_MS
from tests.runtime.choose.simulation.toy import frames, platform


def steps(governor, *work, fps=50.0):
    """Return (time, kHz of the point) of each change of clock."""
    soc = platform()
    ran = replay(soc, frames(*work, fps=fps), governor, timeline=True)
    return [(round(now, 3), int(soc.freq_khz[point])) for now, point in ran.timeline]


def test_ondemand_sets_the_closest_clock_to_min_plus_load_times_range():
    # 20 ms at the lowest clock. At 10 ms load 100 > 95: highest; 5 Mc are done, 3 ms remain: done at 13.
    # The timer of 20 ms: 3 of 10 ms busy, 500 + 30 % of 500 = 650 MHz, closest 750 (as frame 2 begins).
    got = steps(Ondemand(platform()), 8, 1)
    assert got == [(0.0, 500_000), (10.0, 1_000_000), (20.0, 750_000)]


def test_ondemand_uses_the_load_of_before_after_a_long_sleep():
    governor = Ondemand(platform())
    # Busy 0-16 ms at first, then asleep until 100 ms: the old load (100 at 10 ms) is copied once.
    got = steps(governor, 8, 1, fps=10)
    assert got == [(0.0, 500_000), (10.0, 1_000_000)]


def test_conservative_moves_by_steps_of_five_percent_of_the_highest():
    # Always busy. Requests 550, 600, ... 1000 MHz at 10, 20, ... ms; highest clock at or below each.
    got = steps(Conservative(platform()), 200)
    assert got == [(0.0, 500_000), (50.0, 750_000), (100.0, 1_000_000)]


def test_interactive_goes_to_hispeed_at_full_load_and_waits_before_it_comes_down():
    # Full load in the first 20 ms: hispeed. Then 8 ms a period: load 40 %, but min_sample_time holds the
    # clock until 80 ms after it was last needed (20 ms): at 100 ms loadadjfreq 40 * 1000 / 90 = 444: lowest.
    got = steps(Interactive(platform()), 12, *[8] * 9)
    assert got == [(0.0, 500_000), (20.0, 1_000_000), (100.0, 500_000)]


def test_interactive_takes_the_lowest_clock_with_load_at_most_ninety_percent():
    # 9.5 ms of 20 at 500 MHz is 47.5 %: 500 * 47.5 / 90 = 264 MHz: stays at the lowest.
    assert steps(Interactive(platform()), *[4.75] * 5) == [(0.0, 500_000)]
    # 9.6 Mc take 19.2 of 20 ms at 500 MHz: 96 % is below 99; 500 * 96 / 90 = 533 MHz: 750.
    assert steps(Interactive(platform()), *[9.6] * 3)[1] == (20.0, 750_000)


def test_schedutil_asks_for_a_quarter_more_than_the_utilisation():
    # util after t ms at capacity c: c + (util - c) 0.5^(t / 32). At 512: 1.25 * util passes 512
    # when util > 409.6: 512 (1 - 0.5^(t/32)) > 409.6 at t = 74.3 ms, seen at the tick of 76 ms.
    got = steps(Schedutil(platform()), 200)
    assert got[:2] == [(0.0, 500_000), (76.0, 750_000)]
    util = 512 * (1 - 0.5 ** (76 / 32))
    wait = np.log((768 - 614.4) / (768 - util)) / np.log(0.5) * 32  # until util > 614.4 at capacity 768
    assert got[2] == (76 + np.ceil(wait / 4) * 4, 1_000_000)


def test_energy_aware_places_a_small_task_on_little_and_moves_a_grown_one_up():
    soc = platform()
    ran = replay(soc, frames(100), EnergyAware(soc), timeline=True)
    clusters = [int(soc.cluster[point]) for _, point in ran.timeline]
    # Nothing known: it fits on little. Misfit at 1.25 * util >= 256: util 204.8, from 128 and then 256.
    assert clusters[-1] == 1
    moved = next(
        now
        for (now, point), was in zip(ran.timeline[2:], clusters[1:], strict=False)
        if soc.cluster[point] == 1 and was == 0
    )
    # At 128 until 1.25 util > 128 (74.3 -> 76 ms), then from 103.3 at 256 to 204.8: 50.5 ms -> 128 ms.
    util = 128 * (1 - 0.5 ** (76 / 32))
    wait = np.log((256 - 204.8) / (256 - util)) / np.log(0.5) * 32
    assert moved == pytest.approx(76 + np.ceil(wait / 4) * 4)


def test_event_based_profiles_high_and_low_then_takes_the_cheapest_that_fits():
    soc = platform()
    ran = replay(soc, frames(*[4.0] * 6), EventBased(soc), timeline=True)
    # 4 ms at 1000 MHz, 8 ms at 500: a = 0, n = 4. Cheapest within 20 ms: 16 ms at capacity 256.
    assert [(round(now), point) for now, point in ran.timeline] == [(0, 4), (20, 2), (40, 1)]
    assert not ran.late.any()


def test_event_based_raises_the_choice_after_a_miss():
    soc = platform()
    ran = replay(soc, frames(4, 4, 4, 6, 4, 4), EventBased(soc), timeline=True)
    # The fourth takes 24 of 20 ms. n becomes 4.5: not on little in the 16 ms left; 512, raised to 768.
    assert ran.late.tolist()[0] == [False, False, False, True, False, False]
    assert [point for _, point in ran.timeline][:4] == [4, 2, 1, 3]


@pytest.mark.parametrize("kind", [Schedutil, EnergyAware])
def test_ticks_that_are_skipped_would_have_changed_nothing(kind):
    class EveryTick(kind):
        def sleep(self, lanes, mask, above, up_to):
            lanes.timer_ms = np.where(mask, lanes.now_ms + TICK_MS, lanes.timer_ms)

    soc = platform()
    work = np.random.default_rng(0).uniform(1, 25, (4, 60))
    skipped, every = (replay(soc, periodic(work, 50), governor(soc)) for governor in (kind, EveryTick))
    assert np.allclose(skipped.busy_ms, every.busy_ms)
    assert np.allclose(skipped.finish_ms, every.finish_ms)
    assert skipped.transitions.tolist() == every.transitions.tolist()
