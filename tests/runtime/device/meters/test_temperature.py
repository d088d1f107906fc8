from runtime.device.meters import read_temp_c


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


def test_no_zone_is_no_temperature(tmp_path):
    assert read_temp_c(tmp_path) is None
