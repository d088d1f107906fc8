import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.device.meters import find_meter
from runtime.device.meters.gauge import decide
from runtime.errors import DeviceError, DeviceStableError, DeviceTransientError
from tests.runtime.device.meters.machine import replace_text, write

BATTERY = "sys/class/power_supply/battery"
PHONE = {
    "type": "Battery", "status": "Discharging", "voltage_now": 3_850_000, "current_now": -400_000,
    "capacity": 80,
}  # fmt: skip


ABI = "negative while discharging (the ABI)"
OLD = "positive while discharging (an old driver)"
TOO_LITTLE = "for 400 uA is too little for a machine that is awake"


def phone(root, **changes):
    files = {name: value for name, value in (PHONE | changes).items() if value is not None}
    write(root / BATTERY, files)
    return root


def read_mw(meter):
    first = meter.read()
    second = meter.read()
    return (second.energy_mj - first.energy_mj) / (second.time_s - first.time_s)


@pytest.mark.parametrize(
    ("current", "voltage", "power_mw", "notes"),
    [
        (-400_000, 3_850_000, 1540.0, (f"current in uA, {ABI}", "voltage in uV (the ABI)")),
        (400_000, 3_850_000, 1540.0, (f"current in uA, {OLD}", "voltage in uV (the ABI)")),
        (-400, 3_850_000, 1540.0, (f"current in mA, {TOO_LITTLE}, {ABI}", "voltage in uV (the ABI)")),
        (-400_000, 3_850, 1540.0, (f"current in uA, {ABI}", "voltage in mV, for 3850 uV is no battery")),
    ],
)
def test_units_and_signs_are_decided_and_written_down(tmp_path, current, voltage, power_mw, notes):
    meter = find_meter(phone(tmp_path, current_now=current, voltage_now=voltage), "battery").meter
    assert read_mw(meter) == pytest.approx(power_mw)
    assert meter.about.notes[1:] == notes


@pytest.mark.parametrize("status", ["DISCHARGING", "discharging ", "Discharging \n\n"])
def test_words_are_taken_in_any_case(tmp_path, status):
    phone(tmp_path, status=status, type="battery")
    assert read_mw(find_meter(tmp_path, "battery").meter) == pytest.approx(1540.0)
    write(tmp_path / "sys/class/power_supply/bat2", {"type": "BATTERY", "status": "charging"})
    with pytest.raises(DeviceStableError, match="bat2 is 'Charging', its current is not the drain"):
        find_meter(tmp_path, "battery")


@pytest.mark.parametrize("status", ["Charging", "Full", "Not charging", "NOT CHARGING", "Unknown", None])
def test_a_battery_that_is_not_drained_is_refused(tmp_path, status):
    with pytest.raises(DeviceStableError, match="its current is not the drain: unplug the charger"):
        find_meter(phone(tmp_path, status=status), "battery")


def test_a_charger_that_helps_is_refused(tmp_path):
    phone(tmp_path)
    write(tmp_path / "sys/class/power_supply/usb", {"type": "USB", "online": 1})
    with pytest.raises(DeviceStableError, match="usb is online and feeds the machine too: unplug it"):
        find_meter(tmp_path, "battery")


def test_a_charger_plugged_in_mid_run_ends_the_measurement(tmp_path):
    meter = find_meter(phone(tmp_path), "battery").meter
    meter.read()
    replace_text(tmp_path / BATTERY / "current_now", 300_000)
    with pytest.raises(DeviceTransientError, match="the current changed its sign"):
        meter.read()
    replace_text(tmp_path / BATTERY / "status", "Charging")
    with pytest.raises(DeviceTransientError, match="in mid-run: battery is 'Charging'"):
        meter.read()


LAPTOP = {"type": "Battery", "present": 1, "status": "Discharging", "power_now": 5_657_000}


@pytest.mark.parametrize(
    ("first", "second", "power_mw", "source"),
    [
        ({"status": "Not charging", "power_now": 0}, {}, 5657.0, "battery BAT1, power_now"),
        ({"present": 0, "status": "Unknown"}, {}, 5657.0, "battery BAT1, power_now"),
        ({"power_now": 1_000_000}, {}, 6657.0, "battery BAT0 + BAT1, power_now"),
        ({"power_now": 0}, {}, 5657.0, "battery BAT0 + BAT1, power_now"),
        ({"status": "Charging"}, {}, None, "BAT0 is 'Charging'"),
        ({"status": "Full"}, {"status": "Full"}, None, "BAT0 is 'Full'"),
    ],
)
def test_of_two_batteries_those_that_are_drained_count(tmp_path, first, second, power_mw, source):
    """linrunner/TLP#169: a ThinkPad drains one after the other."""
    supplies = tmp_path / "sys/class/power_supply"
    write(supplies / "AC", {"type": "Mains", "online": 0})
    write(supplies / "BAT0", LAPTOP | first)
    write(supplies / "BAT1", LAPTOP | second)
    if power_mw is None:
        with pytest.raises(DeviceStableError, match=source):
            find_meter(tmp_path, "battery")
        return
    meter = find_meter(tmp_path, "battery").meter
    assert meter.about.source == source
    assert read_mw(meter) == pytest.approx(power_mw)


def test_a_battery_that_takes_over_ends_the_measurement(tmp_path):
    supplies = tmp_path / "sys/class/power_supply"
    write(supplies / "BAT0", LAPTOP)
    write(supplies / "BAT1", LAPTOP | {"status": "Not charging"})
    meter = find_meter(tmp_path, "battery").meter
    meter.read()
    write(supplies / "BAT1", {"status": "Discharging"})
    with pytest.raises(DeviceTransientError, match=r"another battery took over \(BAT0, BAT1\)"):
        meter.read()


def test_one_battery_and_its_gauge_are_not_two(tmp_path):
    """Pixels show their fuel gauge as a battery of its own."""
    write(phone(tmp_path) / "sys/class/power_supply/maxfg", PHONE)
    assert read_mw(find_meter(tmp_path, "battery").meter) == pytest.approx(1540.0)


def test_a_unit_is_decided_again_when_the_current_grows(tmp_path):
    meter = find_meter(phone(tmp_path, current_now=-4_000), "battery").meter  # 4 mA, which looks like 4 A
    meter.read()
    replace_text(tmp_path / BATTERY / "current_now", -400_000)
    with pytest.raises(DeviceTransientError, match=r"reads -400000 now, so it is current in uA.*again"):
        meter.read()
    assert read_mw(meter) == pytest.approx(1540.0, rel=0.01)
    assert f"current in uA, {ABI}" in meter.about.notes
    assert not any("in mA" in note for note in meter.about.notes)


def test_power_as_laptops_tell_it(tmp_path):
    meter = find_meter(phone(tmp_path, current_now=None, power_now=7_500_000), "battery").meter
    assert read_mw(meter) == pytest.approx(7500.0)


IN_MW = "power in mW, for in uW it is too little for a machine that is awake"
IN_UW = "power in uW (the ABI)"


@pytest.mark.parametrize(
    ("power", "full_uwh", "power_mw", "note"),
    [
        (7_500, None, 7500.0, IN_MW),
        (-7_500_000, None, 7500.0, IN_UW),
        (15_000, 50_000_000, 15_000.0, IN_MW),  # a laptop's; 15 mW would last 139 days
        (200_000, 15_000_000, 200.0, IN_UW),  # a phone's; 200 W would empty it in 5 minutes
    ],
)
def test_a_power_in_mw_is_known_by_what_is_plausible(tmp_path, power, full_uwh, power_mw, note):
    meter = find_meter(
        phone(tmp_path, current_now=None, power_now=power, energy_full=full_uwh), "battery"
    ).meter
    assert read_mw(meter) == pytest.approx(power_mw)
    assert meter.about.notes[1:] == (note,)


@pytest.mark.parametrize(
    ("power", "full_uwh"), [(50_000, None), (50_000, 20_000_000), (4, None), (10**10, None)]
)
def test_a_power_that_could_be_both_or_neither_is_refused(tmp_path, power, full_uwh):
    phone(tmp_path, current_now=None, power_now=power, energy_full=full_uwh)
    with pytest.raises(DeviceStableError, match=r"power_now reads .*(which can be|can that be)"):
        find_meter(tmp_path, "battery")


def test_a_power_that_grows_out_of_its_unit_is_decided_anew(tmp_path):
    meter = find_meter(phone(tmp_path, current_now=None, power_now=7_500), "battery").meter
    meter.read()
    replace_text(tmp_path / BATTERY / "power_now", 7_500_000)
    with pytest.raises(DeviceTransientError, match=r"power in mW.*reads 7500000 now, so it is power in uW"):
        meter.read()
    assert read_mw(meter) == pytest.approx(7500.0)
    assert IN_UW in meter.about.notes
    assert IN_MW not in meter.about.notes


@pytest.mark.parametrize(
    ("files", "after", "energy_mj"),
    [
        ({"energy_now": 50_000_000}, 49_990_000, 36_000.0),  # 10 mWh
        ({"charge_counter": 3_000_000}, 2_999_000, 13_860.0),  # 1 mAh at 3.85 V
    ],
)
def test_what_is_left_is_read_where_nothing_better_is(tmp_path, files, after, energy_mj):
    meter = find_meter(phone(tmp_path, current_now=0, **files), "battery").meter
    meter.read()
    [name] = files
    replace_text(tmp_path / BATTERY / name, after)
    assert meter.read().energy_mj == pytest.approx(energy_mj)
    replace_text(tmp_path / BATTERY / name, 60_000_000)
    with pytest.raises(DeviceTransientError, match="rose; unplug the charger"):
        meter.read()


def test_a_gauge_that_shows_nothing_is_no_meter(tmp_path):
    with pytest.raises(DeviceStableError, match="shows neither current nor power"):
        find_meter(phone(tmp_path, current_now=0), "battery")
    with pytest.raises(DeviceStableError, match="no battery below"):
        find_meter(tmp_path / "none", "battery")
    write(tmp_path / "sys/class/power_supply/mouse", {"type": "Battery", "scope": "Device"})
    with pytest.raises(DeviceStableError, match=r"no battery 'mouse' among \['battery'\]"):
        find_meter(tmp_path, "battery=mouse")


@given(current=st.integers(), voltage=st.integers())
def test_a_decision_is_plausible_or_refused(current, voltage):
    try:
        units = decide(current, voltage)
    except DeviceStableError:
        return
    assert 10_000 <= abs(current) * units.current_ua <= 20_000_000
    assert 1e6 <= voltage * units.voltage_uv <= 60e6


_VALUE = st.binary(max_size=30) | st.integers().map(lambda n: str(n).encode())


@given(
    files=st.dictionaries(
        st.sampled_from(
            ["current_now", "voltage_now", "power_now", "energy_now", "charge_counter", "status"]
        ),
        _VALUE,
    )
)
def test_whatever_the_gauge_says_the_answer_is_a_number_or_ours(tmp_path_factory, files):
    root = phone(tmp_path_factory.mktemp("odd"), **files)
    try:
        meter = find_meter(root, "battery").meter
        meter.read()
        assert meter.read().energy_mj >= 0
    except DeviceError:
        pass  # with a reason
