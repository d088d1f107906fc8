"""Whatever the files of a machine hold, reading it gives facts, None, or an error of ours; never a crash."""

import contextlib
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.device.meters import list_meters, read_conditions, read_device, read_temp_c
from runtime.errors import EdgekitError
from runtime.targets.local import read_profile
from tests.runtime.device.meters.machine import write

_PID = 7
_FILES = (
    "proc/stat",
    "proc/self/cgroup",
    "proc/pressure/cpu",
    "proc/device-tree/compatible",
    "proc/device-tree/model",
    "proc/cpuinfo",
    "etc/os-release",
    f"proc/{_PID}/task/7/schedstat",
    f"proc/{_PID}/task/7/stat",
    f"proc/{_PID}/task/7/status",
    f"proc/{_PID}/stat",
    f"proc/{_PID}/schedstat",
    "sys/class/thermal/thermal_zone0/type",
    "sys/class/thermal/thermal_zone0/temp",
    "sys/class/thermal/cooling_device0/type",
    "sys/class/thermal/cooling_device0/cur_state",
    "sys/class/thermal/cooling_device0/max_state",
    "sys/class/power_supply/bat/type",
    "sys/class/power_supply/bat/capacity",
    "sys/class/power_supply/bat/status",
    "sys/class/power_supply/bat/current_now",
    "sys/class/power_supply/bat/voltage_now",
    "sys/class/power_supply/usb/type",
    "sys/class/power_supply/usb/online",
    "sys/class/powercap/intel-rapl:0/name",
    "sys/class/powercap/intel-rapl:0/energy_uj",
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj",
    "sys/class/hwmon/hwmon0/name",
    "sys/class/hwmon/hwmon0/energy1_input",
    "sys/class/hwmon/hwmon0/update_interval",
    "sys/bus/iio/devices/iio:device0/energy_value",
    "sys/bus/iio/devices/iio:device0/sampling_rate",
    "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1/in1_label",
    "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1/in1_input",
    "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1/curr1_input",
    "sys/bus/i2c/drivers/ina3221x/1-0041/iio:device0/rail_name_0",
    "sys/bus/i2c/drivers/ina3221x/1-0041/iio:device0/in_power0_input",
    "sys/devices/system/cpu/cpu0/cpu_capacity",
    "sys/devices/system/cpu/cpufreq/policy0/related_cpus",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_available_frequencies",
    "sys/devices/system/cpu/cpufreq/policy0/stats/time_in_state",
)
_USUAL = st.sampled_from(
    [
        *(
            b"0",
            b"-1",
            b"42\n",
            b"0-3,6",
            b"package-0",
            b"ina226",
            b"Battery",
            b"Discharging",
            b"cpu-thermal",
        ),
        *(b"max", b"<unsupported>", b"300000 12\n1800000 5", b"qcom,sdm845\0", b"cpu0 1 2 3 4 5 6 7 8\n"),
        *(b"some avg10=0.00 total=9", b"t=1\nCH0(T=1)[S2M_VDD_CPUCL2], 5"),
    ]
)
_BYTES = (
    st.binary(max_size=60)
    | _USUAL
    | st.integers().map(lambda number: str(number).encode())
    | st.floats().map(lambda number: str(number).encode())
    | st.tuples(_USUAL, st.integers(0, 20)).map(lambda cut: cut[0][: cut[1]])
    | st.just(b"9" * 5000)
)


@settings(max_examples=60)
@given(files=st.dictionaries(st.sampled_from(_FILES), _BYTES, min_size=3))
@example(files=dict.fromkeys(_FILES, b"\xff\xfe\x00"))
@example(files=dict.fromkeys(_FILES, b"9" * 5000))
@example(files={name: "²".encode() for name in _FILES})
def test_any_bytes_in_any_file(tmp_path_factory, files):
    root = tmp_path_factory.mktemp("odd")
    write(root, files)
    for state in list_meters(root):
        assert state.text
    temp_c = read_temp_c(root)
    assert temp_c is None or math.isfinite(temp_c)
    read_device(root)
    policy = root / "sys/devices/system/cpu/cpufreq/policy0"
    for folder in (None, policy):
        with contextlib.suppress(EdgekitError):
            read_conditions(root, pid=_PID, cpus=(0,), policy=folder)
    with contextlib.suppress(EdgekitError):
        read_profile(root)


@pytest.mark.parametrize("name", ["sys/class/power_supply/bat", "sys/class/hwmon/hwmon0/name", "proc/stat"])
def test_a_folder_where_a_file_should_be(tmp_path, name):
    (tmp_path / name).mkdir(parents=True)
    assert all(not state.is_ready for state in list_meters(tmp_path))
    read_conditions(tmp_path, pid=_PID)
