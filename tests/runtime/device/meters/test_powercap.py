import os

import pytest

from runtime.device.meters import find_meter, list_meters
from runtime.errors import DeviceStableError, DeviceTransientError, PermissionNeeded
from tests.runtime.device.meters.machine import replace_text, write

CAP = "sys/class/powercap"
RANGE_UJ = 262_143_328_850


def server(root):
    """Two packages with their parts, the mmio double, and psys over all."""
    zones = {
        "intel-rapl:0": ("package-0", 1_000_000),
        "intel-rapl:0:0": ("core", 500_000),
        "intel-rapl:0:1": ("dram", 70_000),
        "intel-rapl:1": ("package-1", 2_000_000),
        "intel-rapl:2": ("psys", 9_000_000),
        "intel-rapl-mmio:0": ("package-0", 1_000_000),
    }
    for zone, (name, energy_uj) in zones.items():
        write(
            root,
            {
                f"{CAP}/{zone}/name": name,
                f"{CAP}/{zone}/energy_uj": energy_uj,
                f"{CAP}/{zone}/max_energy_range_uj": RANGE_UJ,
            },
        )
    return root / CAP


def test_packages_are_added_up_and_parts_are_not(tmp_path):
    folder = server(tmp_path)
    meter = find_meter(tmp_path, "rapl").meter
    assert meter.about.source == "RAPL package-0 (intel-rapl:0) + package-1 (intel-rapl:1)"
    assert meter.read().energy_mj == 0
    for zone, energy_uj in (("0", 1_003_000), ("0:0", 502_500), ("0:1", 99_000), ("1", 2_000_500)):
        replace_text(folder / f"intel-rapl:{zone}" / "energy_uj", energy_uj)
    read = meter.read()
    assert read.energy_mj == pytest.approx(3.5)  # 3000 + 500 uJ
    assert read.rails_mj == {"package-0 (intel-rapl:0)": 3.0, "package-1 (intel-rapl:1)": 0.5}
    assert "left out: psys (intel-rapl:2)" in meter.about.notes


def test_a_zone_can_be_asked_for(tmp_path):
    server(tmp_path)
    assert find_meter(tmp_path, "rapl=psys").meter.about.source == "RAPL psys (intel-rapl:2)"
    with pytest.raises(DeviceStableError, match="no zone 'gpu' among package-0"):
        find_meter(tmp_path, "rapl=gpu")


def test_the_counter_wraps_where_the_zone_says(tmp_path):
    folder = server(tmp_path)
    counter = folder / "intel-rapl:0/energy_uj"
    replace_text(counter, RANGE_UJ - 400)
    meter = find_meter(tmp_path, "rapl=package-0").meter
    meter.read()
    replace_text(counter, 600)
    assert meter.read().energy_mj == pytest.approx(1.0)


@pytest.mark.parametrize("text", [RANGE_UJ + 1, -5, "nan", "", b"\xff\x00", "9" * 5000])
def test_a_counter_that_cannot_be_is_refused(tmp_path, text):
    folder = server(tmp_path)
    meter = find_meter(tmp_path, "rapl=package-0").meter
    meter.read()
    write(folder, {"intel-rapl:0/energy_uj": text})
    with pytest.raises(DeviceTransientError):
        meter.read()


def test_no_zone_no_meter(tmp_path):
    with pytest.raises(DeviceStableError, match="no intel-rapl zone below"):
        find_meter(tmp_path, "rapl")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_counters_for_root_only_name_the_cause(tmp_path):
    folder = server(tmp_path)
    for file in folder.glob("*/energy_uj"):
        file.chmod(0o400)
    for part in (tmp_path, *tmp_path.parents):
        if part.stat().st_mode & 0o005 != 0o005 and part.stat().st_uid == 0:
            part.chmod(0o755)
    list_meters(tmp_path)  # import what it takes while this process may read it
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionNeeded, match=r"CVE-2020-8694; run as root, or: sudo chmod a\+r"):
            find_meter(tmp_path, "rapl")
    finally:
        os.seteuid(0)
