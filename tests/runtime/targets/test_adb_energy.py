"""Energy of programs on a phone: Pixel's rails as root, the fuel gauge over Wi-Fi, or why there is none."""

from pathlib import Path

import pytest

from runtime.device.setting import Setting
from runtime.engines.model_file import open_bundle_or_model
from runtime.errors import DeviceStableError
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import open_target
from runtime.targets.adb.sampling import parse_looks
from runtime.targets.target import use_meter
from tests.runtime.phone import make_bundle
from tests.runtime.targets.fake_phone import FakePhones

pytest.importorskip("devlib", reason="pip install -e '.[lab]'")
BIG = Setting("big", None)
RUNS = 22
ODPM = "sys/bus/iio/devices/iio:device0/energy_value"
BATTERY = "sys/class/power_supply/battery"
# One start of all frames, after a second in which it loads at ten times the power of 500 mW.
RUN = """
us=100000
case "$*" in *--num_runs=22*|*--num_executions=2[0-9]*)
  i=0
  while [ $i -lt 30 ]; do
    [ $i -lt 8 ] && step=10 || step=1
    STEP
    sleep 0.1
    i=$((i + 1))
  done ;;
esac
"""
RAILS = """
ms=$(sed 's/ .*//; s/[.]//' /proc/uptime)0
read old last < $PHONE/uws
uws=$((old + 500 * step * (ms - last)))
echo $uws $ms > $PHONE/uws
printf "t=$ms\\nCH0(T=$ms)[S2M_VDD_CPUCL2], $uws\\nCH1(T=$ms)[VSYS_PWR_MODEM], 7\\n" > $PHONE/new
mv $PHONE/new $PHONE/root/ODPM
""".replace("ODPM", ODPM)
GAUGE = (
    f"echo -$((step * 200000 + i % 7 * 5000)) > $PHONE/new; mv $PHONE/new $PHONE/root/{BATTERY}/current_now"
)


@pytest.fixture
def phones(tmp_path, monkeypatch):
    return FakePhones(tmp_path, monkeypatch)


@pytest.fixture
def bundle(tflite):
    return open_bundle_or_model(tflite)


def pixel(phones, **how):
    phone = phones.add("P6", **how)
    phone.write(ODPM, "t=1\nCH0(T=1)[S2M_VDD_CPUCL2], 0\nCH1(T=1)[VSYS_PWR_MODEM], 0\n")
    now_ms = Path("/proc/uptime").read_text().split()[0].replace(".", "") + "0"
    (phone.path / "uws").write_text(f"0 {now_ms}")
    phone.on_run(RUN.replace("STEP", RAILS))
    return phone


def unplugged(phones):
    phone = phones.add("P6")
    for name, text in (("status", "Discharging"), ("current_now", "-200000"), ("voltage_now", "4000000")):
        phone.write(f"{BATTERY}/{name}", text + "\n")
    phone.on_run(RUN.replace("STEP", GAUGE))
    return phone


def measure(bundle, target, tmp_path):
    log = RecordLog(tmp_path / "records.jsonl")
    [record] = bench(bundle, target, settings=[BIG], runs=RUNS, warmup=0, blocks=1, log=log)
    return record


@pytest.mark.parametrize("variant", ["litert", pytest.param("executorch", marks=pytest.mark.slow)])
def test_rails_of_a_rooted_pixel(phones, bundle, tmp_path, variant):
    pixel(phones, is_rooted=True)
    if variant == "executorch":
        bundle = make_bundle(tmp_path, variants=("executorch-fp32",))
    target = use_meter(open_target("adb:P6"), "odpm")
    record = measure(bundle, target, tmp_path)
    assert record.power_mw == pytest.approx(500, rel=0.25)  # of the frames, and not of loading
    assert record.energy_mj == pytest.approx(record.power_mw * 0.1, rel=0.02)
    assert record.energy_source.startswith("measured: ODPM (S2M_VDD_CPUCL2)")
    assert "left out: VSYS_PWR_MODEM" in record.energy.notes
    assert any("read on the phone every 0.2 s" in note for note in record.energy.notes)
    left = [path.name for path in (tmp_path / "phones/P6/root/data/local/tmp/edgekit").iterdir()]
    assert not [name for name in left if name.endswith((".watch", ".pid"))]


def test_the_fuel_gauge_of_an_unplugged_phone(phones, bundle, tmp_path):
    unplugged(phones)
    record = measure(bundle, open_target("adb:P6"), tmp_path)
    assert record.power_mw == pytest.approx(840, rel=0.35)  # ten times that while it loads
    assert record.energy_source.startswith("measured: battery battery, voltage x current")


def test_a_charger_that_comes_in_mid_run_leaves_no_figure(phones, bundle, tmp_path):
    phone = unplugged(phones)
    plug = f"[ $i = 20 ] && echo Charging > $PHONE/root/{BATTERY}/status"
    phone.on_run(RUN.replace("STEP", f"{GAUGE}; {plug}"))
    record = measure(bundle, open_target("adb:P6"), tmp_path)
    assert (record.power_mw, record.energy_mj) == (None, None)
    assert "in mid-run: battery is 'Charging'" in record.energy_source


def test_frames_that_are_over_too_soon_say_so(phones, bundle, tmp_path):
    phone = pixel(phones, is_rooted=True)
    phone.on_run("")
    target = use_meter(open_target("adb:P6"), "odpm")
    record = measure(bundle, target, tmp_path)
    assert record.energy_mj is None
    assert "raise --runs" in record.energy_source
    assert target.energy_note.startswith("ODPM (S2M_VDD_CPUCL2): ")
    assert "no power meter" not in target.energy_note


def test_what_cannot_be_used_says_why_and_what_helps(phones):
    pixel(phones)
    (phones.folder / f"P6/root/{ODPM}").unlink()  # SELinux hides it from a shell
    target = open_target("adb:P6")
    with pytest.raises(
        DeviceStableError, match=r"adb:P6: odpm: .*only root may read it: this phone gives none"
    ):
        use_meter(target, "odpm")
    with pytest.raises(DeviceStableError, match=r"unplug the charger \(adb tcpip 5555; .*pull the cable"):
        use_meter(target, "battery")
    with pytest.raises(ValueError, match=r"a phone on adb has odpm and battery; choose one"):
        use_meter(target, "rapl")
    assert "/tmp" not in target.energy_note
    assert use_meter(target, "none").energy_note == "no power meter was asked for"


def test_what_a_phone_prints_between_looks_is_no_file():
    text = "noise\n@@ t 1.50 9\n@@ /sys/a\n1\n@@ /etc/passwd\nx\n@@ t nan\n@@ t 2.50\n@@ /sys/a\n2\n"
    assert [(look.time_s, look.files) for look in parse_looks(text, ["/sys/a"])] == [
        (1.5, {"/sys/a": "1"}),
        (2.5, {"/sys/a": "2"}),
    ]
