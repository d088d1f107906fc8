"""A cap on power that keeps a temperature."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.govern.governor.heat import HeatCap
from tests.runtime.govern.governor.toy import TABLE, toy


@given(st.lists(st.none() | st.floats(-50, 200), max_size=60))
def test_the_cap_is_always_a_power_of_the_ladder(temps_c):
    cap = HeatCap(70.0, [100.0, None, 400.0, 1400.0, 400.0])
    for temp_c in temps_c:
        before_mw = cap.max_power_mw
        after_mw = cap.step(temp_c)
        assert after_mw in (100.0, 400.0, math.inf)
        if temp_c is None or 67.0 <= temp_c <= 70.0:
            assert after_mw == before_mw


def test_what_cannot_be_capped_is_refused():
    with pytest.raises(ValueError, match="no power is known"):
        HeatCap(70.0, [None, None])
    with pytest.raises(ValueError, match="max_temp_c is 500"):
        HeatCap(500.0, [1.0])


def test_a_hot_machine_gives_up_its_dearest_settings_until_it_is_cool(tmp_path):
    temps_c = [75.0]
    phone = toy(
        tmp_path,
        heat=HeatCap(70.0, [row.power_mw for row in TABLE.rows]),
        read_temp_c=lambda: temps_c[0],
    )
    with phone.clocks:
        session = phone.governor.open(7, (7,), 8.0)
        assert phone.read("big") == "2850000"
        phone.governor.tick()
        assert phone.read("big") == "1106000"
        assert phone.messages[-2] == "75.0 C, 70 C are allowed: at most 200 mW from now on"
        assert "nothing that the cap allows meets 8 ms" in phone.messages[-1]
        phone.governor.tick()  # not a second later
        assert phone.read("big") == "1106000"
        phone.now.s = 1.1
        phone.governor.tick()
        assert phone.read("mid") == "799000"
        temps_c[0] = 60.0
        for second in (2.2, 3.3):
            phone.now.s = second
            phone.governor.tick()
        assert session.row.setting.freq_khz == 2_850_000
        assert "no cap" in phone.messages[-2]
