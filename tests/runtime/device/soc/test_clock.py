from dataclasses import replace

import pytest

from runtime.device.soc.clock import GOVERNORS, Clock, request, settle

CLOCKS = (400_000, 800_000, 1_200_000, 2_000_000)
CLOCK = Clock(CLOCKS, GOVERNORS, "schedutil", CLOCKS[0], CLOCKS[-1], CLOCKS[-1])


def test_an_unknown_governor_is_refused():
    assert request(CLOCK, "scaling_governor", "turbo") is None
    assert request(CLOCK, "scaling_governor", "powersave").governor == "powersave"


@pytest.mark.parametrize("text", ["", "fast", "-1", "1e6"])
def test_what_is_no_clock_is_refused(text):
    assert request(CLOCK, "scaling_max_freq", text) is None


def test_limits_are_clamped_to_what_the_hardware_has():
    assert request(CLOCK, "scaling_max_freq", "9000000").max_khz == CLOCKS[-1]
    assert request(CLOCK, "scaling_min_freq", "1").min_khz == CLOCKS[0]


def test_a_minimum_above_the_maximum_is_refused_so_that_the_order_of_writes_counts():
    low = request(CLOCK, "scaling_max_freq", "800000")
    assert request(low, "scaling_min_freq", "1200000") is None
    raised = request(low, "scaling_max_freq", "1200000")
    assert request(raised, "scaling_min_freq", "1200000").min_khz == 1_200_000


def test_a_speed_is_only_taken_by_userspace_which_starts_at_the_clock_of_now():
    assert request(CLOCK, "scaling_setspeed", "800000") is None
    there = settle(request(replace(CLOCK, current_khz=1_200_000), "scaling_governor", "userspace"))
    assert there.current_khz == 1_200_000
    assert settle(request(there, "scaling_setspeed", "500000")).current_khz == 800_000  # the next one up


@pytest.mark.parametrize(
    ("utilisation", "khz"),
    [(0.0, 400_000), (0.16, 400_000), (0.17, 800_000), (0.5, 2_000_000), (1.0, 2_000_000)],
)
def test_schedutil_leaves_a_quarter_of_head_room(utilisation, khz):
    assert settle(CLOCK, utilisation).current_khz == khz


def test_ondemand_jumps_to_the_top_when_busy():
    idle = replace(CLOCK, governor="ondemand", current_khz=400_000)
    assert settle(idle, 0.19).current_khz == 2_000_000  # 95 % busy at 400 MHz
    assert settle(idle, 0.05).current_khz == 800_000


def test_cooling_goes_below_what_was_asked():
    fixed = request(request(CLOCK, "scaling_governor", "userspace"), "scaling_setspeed", "2000000")
    assert settle(replace(fixed, cap_khz=800_000)).current_khz == 800_000
    assert settle(replace(fixed, min_khz=1_200_000, cap_khz=800_000)).current_khz == 800_000
