"""What the full battery holds, from /sys."""

import pytest

from runtime.device.meters.battery import read_capacity_mwh


@pytest.fixture
def supply(tmp_path):
    """Return a function that writes a battery's files and gives the root above."""
    folder = tmp_path / "sys/class/power_supply/BAT0"
    folder.mkdir(parents=True)

    def write(**files):
        for name, text in ({"type": "Battery"} | files).items():
            (folder / name).write_text(f"{text}\n")
        return tmp_path

    return write


def test_energy_full_is_in_microwatt_hours(supply):
    assert read_capacity_mwh(supply(energy_full=50_000_000)) == (50_000.0, "BAT0/energy_full")


def test_charge_full_counts_at_the_nominal_voltage(supply):
    root = supply(charge_full=4_000_000, voltage_min_design=3_850_000)
    assert read_capacity_mwh(root) == (pytest.approx(15_400.0), "BAT0/charge_full x voltage_min_design")


def test_charge_without_a_nominal_voltage_tells_nothing(supply):
    assert read_capacity_mwh(supply(charge_full=4_000_000, voltage_now=4_300_000)) is None


def test_battery_of_a_mouse_is_not_the_machines(supply):
    assert read_capacity_mwh(supply(energy_full=5_000_000, scope="Device")) is None


def test_no_battery_is_none(tmp_path):
    assert read_capacity_mwh(tmp_path) is None
