import pytest

from runtime.device.meters import read_temp_c
from tests.runtime.device.meters.machine import write


def zone(root, number, kind, temp):
    folder = root / f"sys/class/thermal/thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "type").write_text(f"{kind}\n")
    (folder / "temp").write_text(f"{temp}\n")


def test_the_hottest_cpu_zone_in_degrees(tmp_path):
    zone(tmp_path, 0, "cpu0-thermal", 41500)
    zone(tmp_path, 1, "cpu1-thermal", 43000)
    zone(tmp_path, 2, "battery", 90000)
    zone(tmp_path, 3, "cpu2-thermal", "")  # a part that is switched off
    assert read_temp_c(tmp_path) == 43.0


@pytest.mark.parametrize(
    ("zones", "temp_c"),
    [
        ({"cpu-0-0-usr": 41500, "soc": 95, "socd": 5, "battery": 31000}, 41.5),  # charge in %
        ({"cpu-0-0-usr": 41500, "cpuss-1-usr": 43}, 43.0),  # one zone in degrees
        ({"cpu-0-0-usr": 41500, "cpu-limit": 99}, 41.5),  # which cannot be a degree
        ({"soc-thermal": 52000, "soc-bat": 99}, 52.0),
        ({"tsens_tz_sensor0": 41, "tsens_tz_sensor4": 47, "pm8998_tz": 60000}, 47.0),
        ({"tsens_tz_sensor0": 412, "tsens_tz_sensor4": 405}, 41.2),  # tenths
        ({"cluster0": 44000, "cluster1": 46000, "gpu": 70000}, 46.0),
        ({"soc": 80}, None),
        ({"bms-soc": 55, "cpu-0-0": 40000}, 40.0),  # charge in % that might be a degree
        ({"BIG": 41000, "ocp_cpu1": 60000}, 41.0),  # mA
        ({"imx_thermal_zone": 51000}, 51.0),
        ({"main0-thermal": 44000, "main1-thermal": 45000}, 45.0),
        ({"tj-thermal": 50500, "cpu-thermal": 48000, "gpu-thermal": 70000}, 50.5),
    ],
)
def test_zones_of_many_vendors(tmp_path, zones, temp_c):
    for number, (kind, temp) in enumerate(zones.items()):
        zone(tmp_path, number, kind, temp)
    assert read_temp_c(tmp_path) == temp_c


@pytest.mark.parametrize(
    ("chip", "temps", "temp_c"),
    [
        ("k10temp", {"Tctl": 71250}, 71.25),
        ("k10temp", {"Tctl": 98000, "Tdie": 71000, "Tccd1": 70500}, 71.0),
        ("coretemp", {"Package id 0": 55000, "Core 0": 56000}, 56.0),
        ("cpu_thermal", {None: 48312}, 48.312),
        ("macsmc_hwmon", {"NAND Flash Temperature": 70000, "CPU Die Temperature": 51000}, 51.0),
        ("nvme", {"Composite": 60000}, None),
    ],
)
def test_a_chip_serves_where_no_zone_does(tmp_path, chip, temps, temp_c):
    zone(tmp_path, 0, "acpitz", 16800)
    write(tmp_path / "sys/class/hwmon/hwmon0", {"name": chip})
    for i, (label, temp) in enumerate(temps.items(), 1):
        files = {f"temp{i}_input": temp} | ({} if label is None else {f"temp{i}_label": label})
        write(tmp_path / "sys/class/hwmon/hwmon0", files)
    assert read_temp_c(tmp_path) == temp_c


def test_no_zone_is_no_temperature(tmp_path):
    assert read_temp_c(tmp_path) is None
