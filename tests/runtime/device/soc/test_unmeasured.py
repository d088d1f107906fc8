import pytest

from runtime.device.soc.unmeasured import fill

CUBE = {khz * 1000: (khz / 100.0) ** 3 for khz in (1000, 1500, 2500)}


def test_between_two_clocks_a_power_law():
    filled = fill(CUBE, 2_000_000)
    assert filled.power_mw == pytest.approx(8000.0)
    assert filled.how == "between 1500 and 2500 MHz"


def test_above_the_fastest_the_law_goes_on():
    filled = fill(CUBE, 3_000_000)
    assert (filled.power_mw, filled.how) == (pytest.approx(27000.0), "above 2500 MHz")


def test_below_the_slowest_power_falls_with_the_clock_at_most_by_its_voltage_floor():
    assert fill(CUBE, 500_000).power_mw == pytest.approx(1000.0 * 0.5**1.5)
    flat = {
        1_000_000: 100.0,
        2_000_000: 90.0,
    }  # a scatter of the meter: no clock takes less than a slower one
    assert fill(flat, 500_000).power_mw == 100.0


def test_one_clock_is_scaled():
    assert fill({1_000_000: 100.0}, 2_000_000).power_mw == pytest.approx(200.0)
    assert fill({1_000_000: 100.0}, 500_000).power_mw == pytest.approx(50.0)


def test_nothing_measured_gives_nothing():
    assert fill({}, 500_000) is None
    assert fill({1_000_000: 0.0}, 500_000) is None
