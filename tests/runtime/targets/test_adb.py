import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from runtime.device.setting import Setting
from runtime.device.soc.parts import core_name
from runtime.engines.model_file import open_bundle_or_model
from runtime.engines.pte_program import read_methods
from runtime.errors import DeviceStableError, DeviceTransientError, PermissionNeeded
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import open_target
from runtime.targets.adb.path import AdbPath
from runtime.targets.adb.shell import AdbShell
from runtime.targets.restoring import restore_noted, restore_target
from tests.places import DATA, ROOT
from tests.runtime.phone import make_bundle
from tests.runtime.targets.fake_phone import FakePhones

pytest.importorskip("devlib", reason="pip install -e '.[lab]'")
BIG = Setting("big", 1277000)


@pytest.fixture
def phones(tmp_path, monkeypatch):
    return FakePhones(tmp_path, monkeypatch)


@pytest.fixture
def bundle(tflite):
    return open_bundle_or_model(tflite)


def sample(target, bundle, setting, runs=3):
    with target.session(bundle, bundle.manifest.variant(), setting) as session:
        return session.sample(warmup=1, runs=runs), session


def test_a_phone_tells_its_cores_clocks_and_name(phones):
    phones.add("P6")
    before = phones.calls()
    target = open_target("adb:P6")
    assert phones.calls() - before < 15  # each costs tens of milliseconds over a cable
    assert target.profile.title == "Google Pixel 6 (oriole)"
    assert target.profile.board == "Tensor GS101"
    assert [(c.name, c.core, c.cpus, c.max_khz) for c in target.profile.clusters] == [
        ("little", "cortex-a55", (0, 1, 2, 3), 1803000),
        ("mid", "cortex-a76", (4, 5), 2253000),
        ("big", "cortex-x1", (6, 7), 2850000),
    ]
    assert (target.name, target.provenance) == ("adb:P6", "measured")
    assert target.power(target.settings()[0]) is None
    assert "no power meter on this phone (odpm: no energy_value below /sys/bus/iio" in target.energy_note
    assert "gives none (neither adb root nor su)" in target.energy_note
    assert "'Charging', its current is not the drain: unplug the charger (adb tcpip" in target.energy_note


def test_cores_after_2021_have_their_names(phones):
    cpu = "processor\t: {}\nCPU implementer\t: {}\nCPU part\t: {}\n\n"
    parts = [("0x41", "0xd80")] * 4 + [("0x41", "0xd81")] * 2 + [("0x51", "0x001")] * 2
    phones.add("P8").write("proc/cpuinfo", "".join(cpu.format(i, *part) for i, part in enumerate(parts)))
    cores = [cluster.core for cluster in open_target("adb:P8").profile.clusters]
    assert cores == ["cortex-a520", "cortex-a720", "oryon"]


@pytest.mark.parametrize(
    "parts", ["0x51 0x804 0x805", "0x41 0xd84 0xd83", "0x41 0xd8b 0xd8c", "0x53 0x004 0x003"]
)
def test_every_maker_s_cores_have_their_names(phones, parts):
    implementer, *numbers = parts.split()
    cpu = "processor\t: {}\nCPU implementer\t: {}\nCPU part\t: {}\n\n"
    texts = [cpu.format(i, implementer, numbers[i > 3]) for i in range(8)]
    phones.add("P8").write("proc/cpuinfo", "".join(texts))
    cores = {cluster.core for cluster in open_target("adb:P8").profile.clusters}
    assert cores == {core_name(int(implementer, 16), int(number, 16)) for number in numbers}
    assert None not in cores
    assert "aarch64" not in cores


def test_without_root_programs_are_pinned_and_clocks_left_alone(phones, bundle):
    phone = phones.add("P6")
    before = phone.clocks()
    target = open_target("adb:P6")
    assert target.capability.level == "affinity"
    assert "no root" in target.capability.reasons[0]
    assert target.settings((1, 2)) == tuple(
        Setting(name, None, n) for n in (1, 2) for name in ("little", "mid", "big")
    )
    samples, session = sample(target, bundle, Setting("mid", None, 2))
    assert samples.samples_ms == (2.0, 2.001, 2.0)
    assert samples.first_ms == 18.0
    assert (session.control_level, session.setting_read) == ("affinity", Setting("mid", None, 2))
    assert session.device["os"].startswith("Android 15 (google/oriole")
    assert session.versions["engine"] == "benchmark_model at /data/local/tmp/benchmark_model"
    assert phone.clocks() == before
    with pytest.raises(PermissionNeeded, match=r"cannot hold a clock.*no root"):
        sample(target, bundle, BIG)


@pytest.mark.parametrize("governors", [("schedutil", "userspace"), ("schedutil", "performance")])
def test_with_root_a_clock_is_held_while_frames_run_and_given_back(phones, bundle, governors):
    phone = phones.add("P6", is_rooted=True, governors=governors)
    before = phone.clocks()
    target = open_target("adb:P6")
    assert (target.capability.level, target.capability.reasons) == ("sysfs", ())
    assert BIG in target.settings()
    sample(target, bundle, BIG)  # pushes the model
    calls = phones.calls()
    with target.session(bundle, bundle.manifest.variant(), BIG) as session:
        assert phone.cpufreq(6, "scaling_cur_freq") == "1277000"
        samples = session.sample(warmup=0, runs=2)
        assert (session.control_level, session.setting_read) == ("sysfs", BIG)
    assert samples.samples_ms[0] == pytest.approx(2 * 2850 / 1277, abs=0.001)
    assert phone.clocks() == before
    assert phones.calls() - calls < 60
    assert restore_noted() == []


def test_a_file_that_vanished_is_not_made_anew(phones):
    phone = phones.add("P6")
    path = AdbPath(AdbShell("P6"), "/data/local/tmp", as_root=False)
    phone.write("data/local/tmp/known", "old\n")
    (path / "known").write_text("new value")
    assert (path / "known").read_text() == "new value"
    with pytest.raises(FileNotFoundError, match="No such file"):
        (path / "gone").write_text("1")
    assert not (phone.root / "data/local/tmp/gone").exists()
    with pytest.raises(FileNotFoundError):
        (path / "gone").read_text()


def test_a_su_that_refuses_is_no_root(phones):
    phone = phones.add("P6", is_rooted=True)
    (phone.path / "bin/su").write_text("#!/bin/sh\necho Permission denied\nexit 1\n")
    target = open_target("adb:P6")
    assert target.capability.level == "affinity"
    assert "no root" in target.capability.reasons[0]


def test_a_bench_makes_records_of_it(phones, bundle, tmp_path):
    phones.add("P6", is_rooted=True)
    target = open_target("adb:P6")
    records = bench(
        bundle, target, settings=[BIG], runs=6, blocks=1, log=RecordLog(tmp_path / "records.jsonl")
    )
    assert (records[0].target, records[0].control_level, records[0].verdict) == ("adb:P6", "sysfs", "stable")
    assert (records[0].setting_read, len(records[0].samples_ms)) == (BIG, 6)
    assert records[0].energy_mj is None
    assert (records[0].after.battery_pct, records[0].after.battery_status) == (81.0, "Charging")
    assert (records[0].after.freq_khz, records[0].after.governor) == (1277000, "userspace")
    assert records[0].device["soc"] == "Tensor GS101"
    assert records[0].temp_c == 43.5  # the phone's, not this machine's


def test_what_the_files_hide_android_tells(phones, bundle, tmp_path):
    phone = phones.add("P6")
    for name in ("thermal", "power_supply"):
        shutil.rmtree(phone.root / "sys/class" / name)
    cpu = "Temperature{mValue=61.5, mType=0, mName=BIG, mStatus=2}"
    skin = "Temperature{mValue=70.0, mType=3, mName=skin, mStatus=2}"
    (phone.path / "thermal").write_text(f"Thermal Status: 2\nCached temperatures:\n\t{cpu}\n\t{skin}\n")
    log = RecordLog(tmp_path / "records.jsonl")
    [record] = bench(
        bundle, open_target("adb:P6"), settings=[Setting("big", None)], runs=6, blocks=1, log=log
    )
    assert (record.temp_c, record.after.battery_status, record.after.battery_pct) == (61.5, "Charging", 81.0)
    assert record.verdict == "unstable"
    assert any("Android's thermal status=moderate" in reason for reason in record.reasons)


def test_executorch_logs_come_from_logcat_and_only_those_of_the_run(phones, tmp_path):
    phone = phones.add("P6")
    (phone.path / "logcat").write_text("Iteration 1 of 4: 99.0 ms\n")
    bundle = make_bundle(tmp_path, variants=("executorch-fp32",))
    target = open_target("adb:P6")
    for _ in range(2):
        samples, session = sample(target, bundle, Setting("big", None), runs=2)
        assert (samples.first_ms, samples.samples_ms, samples.threads) == (2.0, (2.0, 2.0), 1)
    assert session.versions["engine"] == "executor_runner at /data/local/tmp/executor_runner"


def test_only_the_first_method_of_a_program_is_timed_under_its_name(phones):
    phones.add("P6")
    bundle = open_bundle_or_model(DATA / "methods.pte")
    first, second = read_methods(DATA / "methods.pte")
    variants = {variant.graph: variant for variant in bundle.manifest.variants}
    target = open_target("adb:P6")
    with target.session(bundle, variants[first], Setting("big", None)) as session:
        assert session.sample(warmup=1, runs=2).samples_ms == (2.0, 2.0)
    with (
        pytest.raises(DeviceStableError, match=f"method '{second}' .* first of a program, here '{first}'"),
        target.session(bundle, variants[second], Setting("big", None)),
    ):
        pass


def test_a_mean_is_called_a_mean_in_the_record(phones, tmp_path):
    phone = phones.add("P6")
    flags = "    -num_executions (x) type: uint32\n    -cpu_threads (x) type: int32\n"
    total = "Model executed successfully 9 time(s) in 27.0 ms."
    phone.put_runner(
        "executor_runner", f"[ $1 = --help ] && printf '{flags}' || echo '{total}' >> $PHONE/logcat"
    )
    bundle = make_bundle(tmp_path, variants=("executorch-fp32",))
    log = RecordLog(tmp_path / "records.jsonl")
    target = open_target("adb:P6")
    [record] = bench(bundle, target, settings=[Setting("big", None)], runs=5, blocks=1, log=log)
    assert record.samples_ms == (3.0,)
    assert record.versions["samples"].startswith("the sample is a mean of 9 frames")
    assert record.verdict == "unstable"


def test_a_model_is_pushed_once(phones, bundle):
    phone = phones.add("P6")
    target = open_target("adb:P6")
    for _ in range(2):
        sample(target, bundle, Setting("big", None))
    assert (phones.folder.parent / "calls").read_text().count("push ") == 1
    left = [path.name for path in (phone.root / "data/local/tmp/edgekit").iterdir()]
    assert [name.partition("-")[2] for name in left] == ["double.tflite"]  # and no pid file


def test_a_runner_of_this_machine_is_pushed(phones, bundle, tmp_path, monkeypatch):
    phone = phones.add("P6")
    program = phone.root / "data/local/tmp/benchmark_model"
    mine = tmp_path / "android_aarch64_benchmark_model"
    mine.write_text(program.read_text())
    program.unlink()
    target = open_target("adb:P6")
    with pytest.raises(DeviceStableError, match=r"no benchmark_model to run at .*--runner litert=FILE"):
        sample(target, bundle, Setting("big", None))
    monkeypatch.setenv("EDGEKIT_ADB_BENCHMARK_MODEL", str(mine))
    _, session = sample(target, bundle, Setting("big", None))
    assert session.versions["engine"].endswith("-android_aarch64_benchmark_model")
    monkeypatch.setenv("EDGEKIT_ADB_BENCHMARK_MODEL", "device:/data/local/tmp/other")
    with pytest.raises(DeviceStableError, match="no benchmark_model to run at /data/local/tmp/other"):
        sample(target, bundle, Setting("big", None))
    monkeypatch.setenv("EDGEKIT_ADB_BENCHMARK_MODEL", str(tmp_path / "none"))
    with pytest.raises(DeviceStableError, match="which is not a file of this machine"):
        sample(target, bundle, Setting("big", None))


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ("offline", DeviceTransientError, "adb:P6 is offline; unplug the cable"),
        ("unauthorized", DeviceTransientError, "unlock the phone and accept"),
        ("recovery", DeviceStableError, "boot the phone into Android"),
        ("sideload", DeviceStableError, "boot the phone into Android"),
        ("bootloader", DeviceStableError, "fastboot reboot"),
        ("authorizing", DeviceTransientError, "unlock the phone and accept"),
        (
            "no permissions (missing udev rules? user is in the plugdev group); see [http://x]",
            DeviceStableError,
            "adb:P6: no permissions; this user may not open its USB device: install udev rules",
        ),
        ("no permissions", DeviceStableError, "install udev rules"),
        ("host", DeviceTransientError, "adb:P6 is 'host'; see adb devices"),
        (None, DeviceTransientError, "adb knows no phone 'P6' now, it lists: other"),
    ],
)
def test_a_phone_that_is_not_ready_says_what_to_do(phones, state, error, message):
    phones.add("other")
    phones.add("P6").set_state(state)
    with pytest.raises(error, match=message):
        open_target("adb:P6")


def test_a_phone_whose_serial_may_not_be_read_is_told_too(phones):
    phones.add("????????????").set_state("no permissions")
    with pytest.raises(DeviceStableError, match=r"adb:P6 is not listed by its serial, .*udev"):
        open_target("adb:P6")


def test_an_adb_that_does_not_work_is_quoted(phones, tmp_path):
    (tmp_path / "bin/adb").write_text("#!/bin/sh\necho 'cannot connect to daemon' >&2\nexit 1\n")
    with pytest.raises(DeviceStableError, match=r"adb devices failed \(cannot connect to daemon\)"):
        open_target("adb:P6")


def test_clocks_come_from_statistics_and_boost_where_no_list_is(phones):
    whole = [len(c.opps) for c in open_target(f"adb:{phones.add('whole') and 'whole'}").profile.clusters]
    phone = phones.add("P6")
    for folder in (phone.root / "sys/devices/system/cpu/cpufreq").glob("policy*"):
        clocks = (folder / "scaling_available_frequencies").read_text().split()
        (folder / "scaling_available_frequencies").unlink()
        (folder / "stats").mkdir(exist_ok=True)
        (folder / "stats/time_in_state").write_text("".join(f"{khz} 7\n" for khz in clocks))
    assert [len(c.opps) for c in open_target("adb:P6").profile.clusters] == whole == [11, 14, 18]
    name = "sys/devices/system/cpu/cpufreq/policy6"
    top = int(phone.cpufreq(6, "cpuinfo_max_freq"))
    phone.write(f"{name}/scaling_boost_frequencies", f"{top + 200000}\n")
    assert open_target("adb:P6").profile.clusters[2].max_khz == top  # it is off
    phone.write(f"{name}/cpuinfo_max_freq", f"{top + 200000}\n")
    assert [opp.freq_khz for opp in open_target("adb:P6").profile.clusters[2].opps][-2:] == [
        top,
        top + 200000,
    ]


def test_a_read_only_sys_is_told_and_what_to_do(phones):
    phone = phones.add("P6", is_rooted=True)
    phone.write("proc/mounts", "/dev/root / ext4 rw 0 0\nsysfs /sys sysfs ro,nosuid 0 0\n")
    (phone.path / "bin/su").write_text(
        '#!/bin/sh\n[ "${2#*-w}" = "$2" ] || { echo; echo 1; exit 0; }\nIS_ROOT=1 exec sh -c "$2"\n'
    )
    capability = open_target("adb:P6").capability
    assert capability.level == "affinity"
    assert "its /sys is read-only; run: adb shell su -c 'mount -o remount,rw /sys'" in capability.reasons[0]


def test_without_adb(phones, monkeypatch, tmp_path):
    phones.add("P6")
    (tmp_path / "bin/adb").unlink()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(DeviceStableError, match="no adb program on the PATH"):
        open_target("adb:P6")


def test_a_phone_that_vanishes_in_mid_run_is_put_right_when_it_is_back(phones, bundle):
    phone = phones.add("P6", is_rooted=True)
    before = phone.clocks()
    target = open_target("adb:P6")
    phone.on_run("mv $PHONE/state $PHONE/pulled")
    with pytest.raises(DeviceTransientError, match="adb knows no phone 'P6'"):
        sample(target, bundle, BIG)
    assert phone.clocks() != before
    (phone.path / "pulled").rename(phone.path / "state")
    phone.on_run("")
    sample(open_target("adb:P6"), bundle, Setting("big", 2850000))
    assert phone.clocks() == before  # not how the broken run left it
    assert restore_noted() == []


_HOLD = """
import sys, time
from runtime.engines.model_file import open_bundle_or_model
from runtime.device.setting import Setting
from runtime.device.soc.parts import core_name
from runtime.targets import open_target
bundle = open_bundle_or_model(sys.argv[1])
target = open_target("adb:P6")
with target.session(bundle, bundle.manifest.variant(), Setting("big", 1277000)):
    print("held", flush=True)
    time.sleep(60)
"""


def _hold_and_stop(tflite, with_signal):
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tflite)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(with_signal)
        holder.wait(20)
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.slow
def test_sigterm_gives_the_clock_back(phones, tflite):
    phone = phones.add("P6", is_rooted=True)
    before = phone.clocks()
    _hold_and_stop(tflite, signal.SIGTERM)
    assert phone.clocks() == before
    assert restore_noted() == []


def test_restore_repairs_a_phone_after_a_kill(phones, tflite):
    phone = phones.add("P6", is_rooted=True)
    before = phone.clocks()
    _hold_and_stop(tflite, signal.SIGKILL)
    assert phone.clocks() != before
    phone.set_state("offline")
    with pytest.raises(DeviceTransientError, match="adb:P6 is offline"):
        restore_noted()
    phone.set_state("device")
    [done] = restore_target("adb:P6")
    assert (done.device, done.action) == ("adb:P6", "restored")
    assert phone.clocks() == before
    assert restore_noted() == []


@pytest.mark.slow
def test_a_phone_that_was_restarted_needs_no_restoring(phones, tflite):
    phone = phones.add("P6", is_rooted=True)
    _hold_and_stop(tflite, signal.SIGKILL)
    held = phone.clocks()
    phone.write("proc/sys/kernel/random/boot_id", "another\n")
    [done] = restore_noted()
    assert done.action == "nothing to do: the phone was restarted since"
    assert phone.clocks() == held
    assert restore_noted() == []


def test_a_program_that_fails_is_quoted(phones, bundle):
    phone = phones.add("P6")
    phone.on_run("echo 'ERROR: Failed to apply the default TensorFlow Lite delegate'; exit 1")
    with pytest.raises(DeviceStableError, match=r"ended with status 1; .*Failed to apply the default"):
        sample(open_target("adb:P6"), bundle, Setting("big", None))


def test_output_that_cannot_be_read_is_refused(phones, bundle):
    phone = phones.add("P6")
    phone.on_run("echo 'Illegal instruction?'; exit 0")
    with pytest.raises(DeviceStableError, match="printed no latencies that can be read"):
        sample(open_target("adb:P6"), bundle, Setting("big", None))


def test_a_cpuset_that_leaves_the_cluster_out_is_noticed(phones, bundle):
    phone = phones.add("P6")
    (phone.path / "cpuset").write_text("0-3")
    with pytest.raises(DeviceStableError, match=r"to run on CPUs \[7\] but may run on \[0, 1, 2, 3\]"):
        sample(open_target("adb:P6"), bundle, Setting("big", None))


def test_without_taskset_only_threads_are_chosen(phones, bundle):
    phone = phones.add("P6")
    (phone.path / "bin/taskset").unlink()
    target = open_target("adb:P6")
    assert target.capability.level == "threads"
    assert sample(target, bundle, Setting("big", None))[1].control_level == "threads"


def test_frames_cannot_be_served_there(phones, bundle):
    phones.add("P6")
    target = open_target("adb:P6")
    with target.session(bundle, bundle.manifest.variant(), Setting("big", None)) as session:
        assert session.run().latency_ms == 2.0
        with pytest.raises(DeviceStableError, match="return no outputs"):
            session.run([np.ones((1, 8, 8, 4), np.float32)])


def test_a_program_that_hangs_is_ended_on_the_phone(phones, bundle, monkeypatch):
    phone = phones.add("P6")
    phone.on_run("exec sleep 60")
    monkeypatch.setattr("runtime.targets.adb.job._TIMEOUT_S", 1.0)
    target = open_target("adb:P6")
    start_s = time.monotonic()
    with pytest.raises(DeviceTransientError, match=r"no answer to .* within 1 s"):
        sample(target, bundle, Setting("big", None))
    assert time.monotonic() - start_s < 20
    assert not list((phone.root / "data/local/tmp/edgekit").glob("*.pid"))
