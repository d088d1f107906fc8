"""What the full battery holds, from /sys."""

import pytest

from runtime.device.meters.battery import read_battery, read_capacity_mwh


@pytest.fixture
def supply(tmp_path):
    """Return a function that writes a battery's files and gives the root above."""

    def write(name="BAT0", **files):
        folder = tmp_path / "sys/class/power_supply" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in ({"type": "Battery"} | files).items():
            (folder / file).write_text(f"{text}\n")
        return tmp_path

    return write


def test_energy_full_is_in_microwatt_hours(supply):
    assert read_capacity_mwh(supply(energy_full=50_000_000)) == (50_000.0, "BAT0/energy_full")


def test_charge_full_counts_at_the_nominal_voltage(supply):
    root = supply(charge_full=4_000_000, voltage_min_design=3_850_000)
    assert read_capacity_mwh(root) == (pytest.approx(15_400.0), "BAT0/charge_full x voltage_min_design")


def test_charge_without_a_nominal_voltage_tells_nothing(supply):
    assert read_capacity_mwh(supply(charge_full=4_000_000, voltage_now=4_300_000)) is None


def test_two_batteries_are_added_and_an_empty_bay_is_none(supply):
    supply(energy_full=20_000_000, capacity=50, status="Not charging", present=1)
    supply("BAT1", energy_full=60_000_000, capacity=90, status="DISCHARGING", present=1)
    root = supply("BAT2", present=0, capacity=0, status="Unknown")
    assert read_capacity_mwh(root) == (80_000.0, "BAT0/energy_full + BAT1/energy_full")
    assert read_battery(root) == (80.0, "Discharging")
    (root / "sys/class/power_supply/BAT1/energy_full").unlink()
    assert read_capacity_mwh(root) is None  # half of the energy would be no battery's


def test_battery_of_a_mouse_is_not_the_machines(supply):
    assert read_capacity_mwh(supply(energy_full=5_000_000, scope="Device")) is None


@pytest.mark.parametrize("capacity", [255, 101, -1])
def test_a_charge_that_cannot_be_is_unknown(supply, capacity):
    assert read_battery(supply(status="Discharging", capacity=capacity)) == (None, "Discharging")


def test_no_battery_is_none(tmp_path):
    assert read_capacity_mwh(tmp_path) is None
