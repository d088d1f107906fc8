import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.device.meters import arithmetic


def test_every_unit_by_hand():
    assert arithmetic.power_of_mv_ma(5000, 400) == 2000.0  # 5 V x 0.4 A = 2 W
    assert arithmetic.power_of_uv_ua(3_800_000, 250_000) == 950.0  # 3.8 V x 0.25 A = 0.95 W
    assert arithmetic.energy_of_uwh(1_000_000) == pytest.approx(3_600_000)  # 1 Wh = 3600 J
    assert arithmetic.energy_of_uah(1000, 4_000_000) == pytest.approx(14_400)  # 1 mAh x 4 V = 4 mWh = 14.4 J
    assert arithmetic.trapezoid_mj(100, 300, 0.5) == 100.0  # mean 200 mW for half a second


@given(range_=st.integers(2, 2**64), start=st.integers(0), steps=st.lists(st.integers(0), max_size=20))
def test_a_counter_looked_at_often_enough_loses_nothing_by_wrapping(range_, start, steps):
    start %= range_
    steps = [step % range_ for step in steps]  # less than one whole turn between two looks
    seen, value, total = start, start, 0
    for step in steps:
        value = (value + step) % range_
        total += arithmetic.counter_delta(seen, value, range_)
        seen = value
    assert total == sum(steps)


@given(before=st.integers(), after=st.integers(), range_=st.none() | st.integers(1))
def test_a_counter_only_ever_goes_on_or_is_refused(before, after, range_):
    try:
        assert arithmetic.counter_delta(before, after, range_) >= 0
    except ValueError:
        assert min(before, after) < 0 or (range_ is None and after < before) or max(before, after) > range_


@given(
    power_mw=st.lists(st.floats(0, 1e5), min_size=2, max_size=30),
    duration_s=st.floats(1e-3, 10),
)
def test_the_area_lies_between_least_and_most_power(power_mw, duration_s):
    area_mj = sum(arithmetic.trapezoid_mj(a, b, duration_s) for a, b in itertools.pairwise(power_mw))
    whole_s = duration_s * (len(power_mw) - 1)
    assert min(power_mw) * whole_s * (1 - 1e-9) <= area_mj <= max(power_mw) * whole_s * (1 + 1e-9)
