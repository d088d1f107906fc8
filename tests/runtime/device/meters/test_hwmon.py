import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.device.meters import find_meter
from runtime.errors import DeviceError, DeviceStableError
from tests.runtime.device.meters.machine import replace_text, write

HWMON = "sys/class/hwmon"


def test_counters_in_microjoule_by_label(tmp_path):
    write(
        tmp_path / HWMON,
        {
            "hwmon3/name": "ina231",
            "hwmon3/energy1_input": 5_000,
            "hwmon3/energy1_label": "big",
            "hwmon3/energy2_input": 7_000,
            "hwmon3/energy2_label": "little",
            "hwmon0/name": "nvme",
            "hwmon0/power1_input": 4_000_000,
        },
    )
    meter = find_meter(tmp_path, "hwmon").meter
    assert meter.about.source == "hwmon ina231 (big + little)"
    meter.read()
    replace_text(tmp_path / HWMON / "hwmon3/energy1_input", 6_500)
    replace_text(tmp_path / HWMON / "hwmon3/energy2_input", 7_250)
    assert meter.read().rails_mj == {"big": 1.5, "little": 0.25}


@pytest.mark.parametrize(
    ("files", "power_mw"),
    [
        ({"power1_input": 2_500_000}, 2500.0),  # uW
        ({"power1_average": 1_500_000}, 1500.0),
        ({"in1_input": 5_000, "curr1_input": 300}, 1500.0),  # mV x mA
        ({"in1_input": 5_000, "curr1_input": 300, "power1_input": 1_400_000}, 1400.0),
    ],
)
def test_power_in_whatever_unit_the_chip_has(tmp_path, files, power_mw):
    write(tmp_path / HWMON / "hwmon0", {"name": "ina226", **files})
    meter = find_meter(tmp_path, "hwmon").meter
    first = meter.read()
    second = meter.read()
    assert second.energy_mj == pytest.approx(power_mw * (second.time_s - first.time_s))


def test_a_rail_that_feeds_the_others_stands_for_them(tmp_path):
    write(
        tmp_path / HWMON / "hwmon0",
        {
            "name": "ina226",
            **{f"power{i}_input": 10**6 for i in (1, 2)},
            "power1_label": "VDD_CPU",
            "power2_label": "VDD_IN",
        },
    )
    about = find_meter(tmp_path, "hwmon").meter.about
    assert about.source == "hwmon ina226 (VDD_IN)"
    assert "left out, fed by VDD_IN: VDD_CPU" in about.notes
    assert find_meter(tmp_path, "hwmon=vdd_cpu").meter.about.source == "hwmon ina226 (VDD_CPU)"


def test_a_chip_named_whole_never_adds_total_and_parts(tmp_path):
    labels = {"Heatpipe Power": 1_500_000, "Total System Power": 6_500_000, "AC Input Power": 8_000_000}
    write(tmp_path / HWMON / "hwmon0", {"name": "macsmc_hwmon"})
    for i, (label, power_uw) in enumerate(labels.items(), 1):
        write(tmp_path / HWMON / "hwmon0", {f"power{i}_label": label, f"power{i}_input": power_uw})
    for wanted in ("hwmon=macsmc_hwmon", "hwmon=*"):
        about = find_meter(tmp_path, wanted).meter.about
        assert about.source == "hwmon macsmc_hwmon (Total System Power)"
        left_out = (
            "fed by Total System Power: Heatpipe Power; left out, around Total System Power: AC Input Power"
        )
        assert f"left out, {left_out}" in about.notes


def test_sensors_of_other_parts_are_taken_only_by_name(tmp_path):
    write(
        tmp_path / HWMON / "hwmon0", {"name": "amdgpu", "power1_average": 30_000_000, "power1_label": "PPT"}
    )
    with pytest.raises(DeviceStableError, match=r"unknown: amdgpu \(take one with --meter hwmon=NAME"):
        find_meter(tmp_path, "hwmon")
    assert find_meter(tmp_path, "hwmon=amdgpu").meter.about.source == "hwmon amdgpu (PPT)"


def test_chips_without_labels_keep_their_rails_apart(tmp_path):
    for chip in ("hwmon1", "hwmon2"):
        write(tmp_path / HWMON / chip, {"name": "ina219", "power1_input": 10**6})
    assert len(find_meter(tmp_path, "hwmon").meter.read().rails_mj) == 2


def test_an_emulated_machine_says_so(tmp_path):
    write(
        tmp_path,
        {
            "sys/devices/system/cpu/edgekit.json": json.dumps(
                {"soc": "gs101", "host_cpus": {}, "assumed": "idle power is modelled"}
            ),
            f"{HWMON}/hwmon0/name": "edgekit-emulated",
            f"{HWMON}/hwmon0/energy1_input": 12,
            f"{HWMON}/hwmon0/energy1_label": "big",
        },
    )
    about = find_meter(tmp_path).meter.about
    assert (about.provenance, about.source) == ("emulated", "emulated hwmon edgekit-emulated (big)")
    assert about.notes[-1] == "idle power is modelled"
    battery = {"type": "Battery", "status": "Discharging", "voltage_now": 3_850_000, "current_now": -400_000}
    write(tmp_path / "sys/class/power_supply/battery", battery)
    assert find_meter(tmp_path, "battery").meter.about.provenance == "emulated"


_NAMES = st.sampled_from(
    ["name", "energy1_input", "power1_input", "power1_average", "power1_label", "in1_input", "curr1_input",
     "in1_label", "update_interval", "energy2_input", "power3_input"]
)  # fmt: skip


@given(
    files=st.dictionaries(_NAMES, st.binary(max_size=40) | st.integers().map(lambda n: str(n).encode())),
    chip=st.sampled_from(["ina226", "ina3221", "power_meter", "odd"]),
)
def test_whatever_the_files_hold_the_answer_is_a_number_or_ours(tmp_path_factory, files, chip):
    root = tmp_path_factory.mktemp("odd")
    write(root / HWMON / "hwmon0", {"name": chip, **files})
    for wanted in ("auto", "hwmon=*"):
        try:
            found = find_meter(root, wanted)
            if found.meter is not None:
                found.meter.read()
                assert math.isfinite(found.meter.read().energy_mj)
        except DeviceError:
            pass  # with a reason
