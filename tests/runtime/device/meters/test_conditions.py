"""What a machine tells at one moment, from trees of files and from this machine."""

import os

from runtime.device.conditions import interference
from runtime.device.meters import read_conditions, read_device


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


PHONE = {
    "sys/class/thermal/thermal_zone0/type": "cpu-0-0\n",
    "sys/class/thermal/thermal_zone0/temp": "61500\n",
    "sys/class/thermal/cooling_device0/type": "cpufreq-cpu4\n",
    "sys/class/thermal/cooling_device0/cur_state": "3\n",
    "sys/class/thermal/cooling_device0/max_state": "17\n",
    "sys/class/thermal/cooling_device1/type": "cpufreq-cpu0\n",
    "sys/class/thermal/cooling_device1/cur_state": "0\n",
    "sys/class/thermal/cooling_device2/type": "pwm-fan\n",
    "sys/class/thermal/cooling_device2/cur_state": "2\n",
    "sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq": "1286400\n",
    "sys/devices/system/cpu/cpufreq/policy4/scaling_max_freq": "1478400\n",
    "sys/devices/system/cpu/cpufreq/policy4/scaling_governor": "userspace\n",
    "sys/class/power_supply/usb/type": "USB\n",
    "sys/class/power_supply/battery/type": "Battery\n",
    "sys/class/power_supply/battery/capacity": "83\n",
    "sys/class/power_supply/battery/status": "Discharging\n",
    "proc/stat": "cpu  9 0 0 9\ncpu4 500 0 100 900 0 0 0 0\ncpu5 0 0 0 900 0 0 0 0\n",
    "proc/77/task/77/schedstat": "2000000000 10000000 5\n",
}


def test_a_hot_throttled_phone_on_battery(tmp_path):
    write(tmp_path, PHONE)
    policy = tmp_path / "sys/devices/system/cpu/cpufreq/policy4"
    now = read_conditions(tmp_path, pid=77, cpus=(4,), policy=policy)
    assert (now.temp_c, now.cooling) == (61.5, ("cpufreq-cpu4=3/17",))
    assert (now.freq_khz, now.max_freq_khz, now.governor) == (1286400, 1478400, "userspace")
    assert (now.battery_pct, now.battery_status) == (83.0, "Discharging")
    assert (now.cpus, now.n_cpus, now.cpus_busy_s, now.own_busy_s, now.own_wait_s) == (
        (4,),
        2,
        6.0,
        2.0,
        0.01,
    )
    assert now.probe_ms is None


def test_a_machine_that_tells_nothing(tmp_path):
    now = read_conditions(tmp_path, pid=77, cpus=(0,))
    assert (now.temp_c, now.cooling, now.freq_khz, now.own_busy_s, now.battery_pct) == (
        None, (), None, None, None,
    )  # fmt: skip


def test_without_counters_only_time_is_missing(tmp_path):
    write(tmp_path, PHONE)
    now = read_conditions(tmp_path, pid=77, cpus=(4,), with_counters=False)
    assert (now.temp_c, now.cpus_busy_s, now.own_wait_s) == (61.5, None, None)


def test_this_machine_and_its_probe():
    cpu = min(os.sched_getaffinity(0))
    affinity = os.sched_getaffinity(0)
    before = read_conditions(pid=os.getpid(), cpus=(cpu,), probe=True)
    after = read_conditions(pid=os.getpid(), cpus=(cpu,))
    assert 0 < before.probe_ms < 1000
    assert os.sched_getaffinity(0) == affinity
    assert interference(before, after).duration_s >= 0


def test_a_device_names_itself(tmp_path):
    write(
        tmp_path,
        {
            "proc/device-tree/model": "Google Raven\0",
            "sys/devices/soc0/family": "Google Tensor\n",
            "sys/devices/soc0/soc_id": "gs101\n",
            "etc/os-release": 'ID=x\nPRETTY_NAME="Debian GNU/Linux 12"\n',
        },
    )
    device = read_device(tmp_path)
    assert (device["name"], device["soc"], device["os"]) == (
        "Google Raven", "Google Tensor gs101", "Debian GNU/Linux 12",
    )  # fmt: skip
    assert device["kernel"].startswith("Linux")
