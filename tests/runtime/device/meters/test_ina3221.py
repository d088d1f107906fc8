import pytest

from runtime.device.meters import find_meter
from runtime.errors import DeviceStableError
from tests.runtime.device.meters.machine import write

ORIN = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"
NANO = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
ORIN_FILES = {
    "name": "ina3221",
    "in1_label": "VDD_IN", "in1_input": 4968, "curr1_input": 1000,
    "in2_label": "VDD_CPU_GPU_CV", "in2_input": 4968, "curr2_input": 250,
    "in3_label": "VDD_SOC", "in3_input": 4968, "curr3_input": 300,
    "in7_label": "sum of shunt voltages", "in7_input": 1, "curr4_input": 1550,
}  # fmt: skip
NANO_FILES = {
    "rail_name_0": "POM_5V_IN", "in_power0_input": 2100,
    "rail_name_1": "POM_5V_GPU", "in_power1_input": 40,
    "rail_name_2": "POM_5V_CPU", "in_voltage2_input": 5000, "in_current2_input": 124,
}  # fmt: skip


def power_mw(meter):
    first = meter.read()
    second = meter.read()
    span_s = second.time_s - first.time_s
    return {rail: mj / span_s for rail, mj in second.rails_mj.items()}


def test_the_board_rail_stands_for_those_it_feeds(tmp_path):
    write(tmp_path / ORIN, ORIN_FILES)
    meter = find_meter(tmp_path).meter
    assert meter.about.source == "ina3221 ina3221 (VDD_IN)"
    assert power_mw(meter) == {"VDD_IN": pytest.approx(4968.0)}  # 4968 mV x 1000 mA
    assert "left out, fed by VDD_IN: VDD_CPU_GPU_CV, VDD_SOC" in meter.about.notes


def chip(*rails):
    """Return the files of one chip with these rails of (label, mV, mA)."""
    files = {"name": "ina3221"}
    for i, (label, volts_mv, current_ma) in enumerate(rails, 1):
        files |= {f"in{i}_label": label, f"in{i}_input": volts_mv, f"curr{i}_input": current_ma}
    return files


def test_a_board_with_several_feeds_is_their_sum(tmp_path):
    """Jetson AGX Orin: rbonghi/jetson_stats#344."""
    write(
        tmp_path / ORIN,
        chip(("VDD_GPU_SOC", 19928, 160), ("VDD_CPU_CV", 19936, 1600), ("VIN_SYS_5V0", 5016, 640)),
    )
    other = ORIN.replace("1-0040", "1-0041").replace("hwmon1", "hwmon2")
    write(tmp_path / other, chip(("NC", 5016, 0), ("VDDQ_VDD2_1V8AO", 5016, 96), ("NC", 5016, 0)))
    meter = find_meter(tmp_path).meter
    assert meter.about.source == "ina3221 ina3221 (VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0)"
    assert sum(power_mw(meter).values()) == pytest.approx(38_296, rel=1e-3)
    assert "no rail of the whole board: 3 rails added up" in meter.about.notes
    assert "left out, fed by VIN_SYS_5V0: VDDQ_VDD2_1V8AO" in meter.about.notes


def test_shunts_and_their_sum_are_no_rails(tmp_path):
    """Mainline drivers/hwmon/ina3221.c shows in4 to in6 and curr4 beside the three channels."""
    shunts = {"in4_input": 1, "in5_input": 1, "in6_input": 1, "in7_input": 2, "curr4_input": 400}
    write(tmp_path / ORIN, chip(("GPU", 19000, 100), ("CPU", 19000, 200), ("SOC", 19000, 100)) | shunts)
    assert find_meter(tmp_path).meter.about.source == "ina3221 ina3221 (GPU + CPU + SOC)"


def test_a_channel_that_refuses_is_left_out_and_named(tmp_path):
    write(tmp_path / ORIN, chip(("GPU", 19000, 100), ("CPU", 19000, 200), ("SOC", 19000, 100)))
    write(tmp_path / ORIN, {"in3_enable": 0})
    (tmp_path / ORIN / "curr1_input").unlink()
    (tmp_path / ORIN / "curr1_input").symlink_to("/proc/self/mem")  # reading fails, as with ENODATA
    about = find_meter(tmp_path).meter.about
    assert about.source == "ina3221 ina3221 (CPU)"
    assert about.notes[-1].startswith("left out, not readable: GPU (")
    assert about.notes[-1].endswith("SOC (switched off)")
    write(tmp_path / ORIN, {"in2_enable": 0})
    with pytest.raises(DeviceStableError, match=r"no rail can be read: GPU .*CPU \(switched off"):
        find_meter(tmp_path, "ina3221")


def test_rails_can_be_chosen_by_label(tmp_path):
    write(tmp_path / ORIN, ORIN_FILES)
    rails_mw = power_mw(find_meter(tmp_path, "ina3221=VDD_CPU*,vdd_soc").meter)
    assert rails_mw == {"VDD_CPU_GPU_CV": pytest.approx(1242.0), "VDD_SOC": pytest.approx(1490.4)}
    with pytest.raises(DeviceStableError, match=r"no INA3221 rail 'VDD_DDR' below .*ina3221x"):
        find_meter(tmp_path, "ina3221=VDD_DDR")


def test_the_old_layout_is_in_milliwatt(tmp_path):
    write(tmp_path / NANO, NANO_FILES)
    assert power_mw(find_meter(tmp_path).meter) == {"POM_5V_IN": pytest.approx(2100.0)}
    rails_mw = power_mw(find_meter(tmp_path, "ina3221=POM_5V_CPU,POM_5V_GPU").meter)
    assert rails_mw == {"POM_5V_GPU": pytest.approx(40.0), "POM_5V_CPU": pytest.approx(620.0)}


def test_a_chip_seen_in_two_places_is_counted_once(tmp_path):
    write(tmp_path / ORIN, ORIN_FILES)
    shown = tmp_path / "sys/class/hwmon"
    shown.mkdir(parents=True)
    (shown / "hwmon1").symlink_to(tmp_path / ORIN)
    assert find_meter(tmp_path).meter.about.source == "ina3221 ina3221 (VDD_IN)"
    assert list(find_meter(tmp_path, "ina3221=VDD_[CS]*").meter.read().rails_mj) == [
        "VDD_CPU_GPU_CV",
        "VDD_SOC",
    ]


def test_no_chip(tmp_path):
    with pytest.raises(DeviceStableError, match="no INA3221 below"):
        find_meter(tmp_path, "ina3221")
