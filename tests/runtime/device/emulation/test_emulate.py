"""A real emulated machine, from the inside and the outside."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from runtime.device.emulation.launcher import emulate, split_cores


def test_cores_are_split_between_host_and_phone():
    assert split_cores([0], 4) == ((0,), (0,))
    assert split_cores([0, 1], 4) == ((0,), (1,))
    assert split_cores(range(8), 4) == ((0, 1, 2, 3), (7, 6, 5, 4))
    assert split_cores(range(8), 2) == ((0, 1, 2, 3, 4, 5), (7, 6))


def test_an_unknown_soc_or_no_command_is_refused():
    with pytest.raises(ValueError, match="unknown SoC 'exynos'"):
        emulate("exynos", ["true"])
    with pytest.raises(ValueError, match="no command"):
        emulate("gs101", [])


def test_without_root_the_reason_is_said(monkeypatch):
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux gets that far")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    from runtime.errors import DeviceStableError

    with pytest.raises(DeviceStableError, match="run as root"):
        emulate("gs101", ["true"])


def test_inside_is_another_machine_and_outside_nothing_changes(inside):
    before = Path("/proc/mounts").read_text(), sorted(os.listdir("/sys/class"))
    out = inside(
        "cat /sys/devices/system/cpu/possible /sys/class/power_supply/battery/status; ls /sys/class/net; "
        "cd /sys/devices/system/cpu/cpufreq/policy4; echo performance > scaling_governor; "
        "cat scaling_cur_freq; "
        "echo warp > scaling_governor; cat scaling_governor; ls /sys/class/powercap 2>&1; true"
    )
    lines = out.splitlines()
    assert lines[:2] == ["0-7", "Discharging"]
    assert "lo" in lines
    assert lines[-3:-1] == ["2000000", "performance"]
    assert "No such file" in lines[-1]  # the host's own meter does not pass for the phone's
    assert (Path("/proc/mounts").read_text(), sorted(os.listdir("/sys/class"))) == before


def test_what_is_written_shows_at_the_next_read(inside):
    out = inside(
        "cd /sys/devices/system/cpu/cpufreq/policy0; echo userspace > scaling_governor;"
        "for f in 200000 1400000 600000 200000 900000; do "
        "echo $f > scaling_setspeed; cat scaling_cur_freq; done"
    )
    assert out.split() == ["200000", "1400000", "600000", "200000", "900000"]


def test_streams_and_status_are_the_commands(start):
    process = start("sh", "-c", "cat; echo wrong >&2; exit 7")
    out, err = process.communicate("hello\n", timeout=30)
    assert (process.returncode, out, err) == (7, "hello\n", "wrong\n")
    process = start("no-such-program")
    assert "cannot run 'no-such-program'" in process.communicate(timeout=30)[1]
    assert process.returncode == 127


def test_a_process_pins_to_emulated_cpus(inside):
    out = inside(
        "import os\n"
        "from runtime.device.actuators import pin, allowed_cpus\n"
        "print(allowed_cpus())\n"
        "from runtime.device.marker import find_marker\n"
        "from runtime.errors import DeviceStableError\n"
        "marker = find_marker()\n"
        "pin([6])\n"
        "print(allowed_cpus(), os.sched_getaffinity(0) == set(marker.map([6])))\n"
        "try:\n    pin(range(8))\n"
        "except DeviceStableError as err:\n    print(err)\n",
        python=True,
    )
    assert out.startswith(f"{tuple(range(8))}\n(6,) True\n")
    assert "host cores" in out


def test_the_local_target_is_the_phone(inside, tflite, tmp_path):
    out = inside(
        "import sys\n"
        "from runtime.measure.bench import bench\n"
        "from runtime.engines.model_file import open_bundle_or_model\n"
        "from runtime.measure.records import RecordLog\n"
        "from runtime.device.setting import Setting\n"
        "from runtime.targets import open_target\n"
        "from pathlib import Path\n"
        "target = open_target('local')\n"
        "names = [c.name for c in target.profile.clusters]\n"
        "print(target.name, target.provenance, names, target.capability)\n"
        "log = RecordLog(Path(sys.argv[2]))\n"
        "[record] = bench(open_bundle_or_model(sys.argv[1]), target, settings=[Setting('big', 1000000)],\n"
        "    runs=5, warmup=1, blocks=1, log=log)\n"
        "print(record.provenance, record.setting_read, record.control_level)\n",
        str(tflite),
        str(tmp_path / "records.jsonl"),
        python=True,
    )
    first, second = out.splitlines()
    assert first == "local emulated ['little', 'big'] Capability(level='sysfs', reasons=())"
    assert second == "emulated big @ 1000 MHz x1 sysfs"


def test_a_held_clock_is_given_back_and_noted_apart_from_the_hosts(inside, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    out = inside(
        "from pathlib import Path\n"
        "from runtime.device.actuators import CpuFreq, Journal\n"
        "freq = CpuFreq()\n"
        "policy = freq.domain_of([4])\n"
        "with freq.hold(policy, 1000000):\n"
        "    print(freq.read_khz(policy), len(Journal().entries()), Journal().folder)\n"
        "print((policy.path / 'scaling_governor').read_text().strip(), len(Journal().entries()))\n",
        python=True,
    )
    assert out.splitlines() == ["1000000 1 /sys/devices/system/cpu/edgekit/journal", "schedutil 0"]
    assert not list(tmp_path.iterdir())


def family(process):
    """Return every process of an emulated machine, once its command runs."""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        found = psutil.Process(process.pid).children(recursive=True)
        if any(p.name() == "sleep" for p in found):
            return found
        time.sleep(0.02)
    raise AssertionError("the command did not start")


def all_gone(processes):
    _, alive = psutil.wait_procs(processes, timeout=5)
    return not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_goes_to_the_command_and_ends_the_machine(start, number):
    process = start("sh", "-c", "trap 'echo caught; exit 5' TERM INT; sleep 60 & wait")
    running = family(process)
    process.send_signal(number)
    out, _ = process.communicate(timeout=15)
    assert (process.returncode, out) == (5, "caught\n")
    assert all_gone(running)


def test_a_killed_launcher_takes_everything_with_it(start):
    process = start("sh", "-c", "sleep 60 & sleep 60 & wait")
    running = family(process)
    assert any("steal" in p.name() for p in running)
    process.kill()
    process.wait(5)
    assert all_gone(running)
    assert "edgekit" not in Path("/proc/mounts").read_text()
