import numpy as np
import pytest

from runtime.choose.simulation import Interactive, Performance, Powersave, SimGovernor, periodic, replay
from tests.runtime.choose.simulation.toy import frames, platform


def test_energy_is_power_times_time_busy():
    ran = replay(platform(), frames(10, 5), Performance(platform()))
    assert ran.finish_ms.tolist() == [[10.0, 25.0]]
    assert ran.energy_mj[0] == pytest.approx(1000 * 15 / 1e3)
    assert not ran.late.any()


def test_a_late_frame_delays_the_next():
    ran = replay(platform(), frames(15, 15), Powersave(platform()))  # 512 of 1024: twice the time
    assert ran.finish_ms.tolist() == [[30.0, 60.0]]
    assert ran.late.tolist() == [[True, True]]


def test_a_browser_draws_what_came_meanwhile_as_one_frame():
    """The third frame comes when the second is done, not long before, and has its time from then on."""
    soc, work = platform(), frames(15, 15, 5)
    assert replay(soc, work, Powersave(soc)).late.tolist() == [[True, True, True]]
    drawn = replay(soc, work, Powersave(soc), queues=False)
    assert drawn.finish_ms.tolist() == [[30.0, 60.0, 70.0]]
    assert drawn.late.tolist() == [[True, True, False]]


def test_idle_power_counts_between_frames():
    soc = platform(idle_mw=10.0)
    ran = replay(soc, frames(10, 10), Performance(soc))
    assert ran.energy_mj[0] == pytest.approx((1010 * 20 + 10 * 10) / 1e3)


def test_background_load_slows_frames_and_keeps_the_core_busy_between_them():
    soc = platform(background=256.0)  # a quarter of the core
    ran = replay(soc, frames(9, 9), Performance(soc))
    assert ran.finish_ms.tolist() == [[12.0, 32.0]]
    assert ran.energy_mj[0] == pytest.approx((1000 * 24 + 250 * 8) / 1e3)


class _Alternating(SimGovernor):
    name = "alternating"

    def begin(self, lanes):
        lanes.wanted = np.full(len(lanes.opp), 4)

    def start(self, lanes, mask):
        lanes.wanted = np.where(mask, np.where(lanes.frame % 2 == 0, 2, 4), lanes.wanted)


def test_a_change_of_clock_takes_time_and_energy():
    soc = platform(transition_ms=0.5, transition_uj=100.0)
    ran = replay(soc, frames(5, 5), _Alternating())
    assert ran.transitions[0] == 2
    assert ran.finish_ms.tolist() == [[10.5, 25.5]]
    assert ran.energy_mj[0] == pytest.approx((200 * 10.5 + 1000 * 5.5 + 200) / 1e3)


def test_lanes_do_not_see_each_other():
    soc = platform()
    rng = np.random.default_rng(0)
    work = rng.uniform(1, 25, (3, 40))
    together = replay(soc, periodic(work, 50), Interactive(soc))
    for lane in range(3):
        alone = periodic(work[lane], 50)
        assert np.allclose(replay(soc, alone, Interactive(soc)).finish_ms, together.finish_ms[lane])


def test_frames_that_governors_need_to_settle_do_not_count():
    soc = platform(idle_mw=10.0)
    both = replay(soc, frames(10, 5), Performance(soc))
    second = replay(soc, frames(10, 5), Performance(soc), settle=1)
    assert both.busy_ms.tolist() == [[0, 0, 0, 0, 15]]
    assert second.busy_ms.tolist() == [[0, 0, 0, 0, 5]]
    assert second.energy_mj[0] == pytest.approx((1010 * 5 + 10 * 10) / 1e3)  # the wait before it counts
    assert second.finish_ms.tolist() == both.finish_ms.tolist()
