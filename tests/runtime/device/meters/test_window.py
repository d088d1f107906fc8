import time
from dataclasses import replace

import pytest

from runtime.device.meters import About, EnergyWindow, find_meter, measure_idle_mw
from runtime.device.meters.meter import Count, CounterMeter, PowerMeter
from runtime.errors import DeviceTransientError
from tests.runtime.device.meters.machine import Clock, replace_text, ticking, write

HWMON = "sys/class/hwmon/hwmon0"


def power_meter(read, **about):
    return PowerMeter(About("toy", "toy sensor", sample_rate_hz=200.0, update_period_s=0.001, **about), read)


def test_a_steady_load_gives_its_power():
    with EnergyWindow(power_meter(lambda: {"big": 1500.0, "little": 500.0})) as window:
        time.sleep(0.05)
    read = window.result(frames=10)
    assert read.gross_mw == pytest.approx(2000.0)
    assert read.energy_mj == pytest.approx(2000.0 * read.duration_s)
    assert read.rails_mj["little"] == pytest.approx(500.0 * read.duration_s)
    assert (read.frames, read.reason) == (10, None)


def test_gross_idle_and_net_are_told_apart():
    with EnergyWindow(power_meter(lambda: {"board": 1000.0})) as window:
        time.sleep(0.02)
    gross = window.result(1, idle_mw=300.0)
    net = window.result(1, idle_mw=300.0, subtract_idle=True)
    assert (gross.power_mw, net.power_mw) == (pytest.approx(1000.0), pytest.approx(700.0))
    assert gross.text == "measured: toy sensor; gross, idle 300 mW included"
    assert net.text == "measured: toy sensor; net: 1000 mW less idle 300 mW"
    nothing = window.result(1, subtract_idle=True)
    assert (nothing.power_mw, "no idle power is known" in nothing.text) == (None, True)


def test_a_ramp_is_joined_by_straight_lines():
    clock, powers_mw = Clock(), iter([0.0, 100.0, 400.0])
    meter = PowerMeter(About("toy", "toy", sample_rate_hz=1.0), lambda: {"a": next(powers_mw)}, clock)
    meter.read()
    clock.now_s += 2
    assert meter.read().energy_mj == 100.0  # 0 to 100 mW over 2 s
    clock.now_s += 1
    assert meter.read().energy_mj == 350.0  # and 250 mW over 1 s


def test_a_window_of_too_few_updates_is_refused_with_the_reason():
    meter = PowerMeter(About("gauge", "fuel gauge"), lambda: {"battery": 800.0})
    with EnergyWindow(meter) as window:
        time.sleep(0.02)
    read = window.result(3)
    assert (read.energy_mj, read.gross_mw) == (None, None)
    assert "saw 0 updates in" in read.reason
    assert "at least 10 are needed; raise --runs" in read.text


def test_updates_of_a_counter_are_seen_by_its_changing():
    values = iter(range(0, 10**9, 1000))
    meter = CounterMeter(About("toy", "toy", sample_rate_hz=500.0), lambda: Count({"a": next(values)}))
    with EnergyWindow(meter) as window:
        time.sleep(0.1)
    assert window.result(1).energy_mj > 10


def test_missed_samples_are_no_straight_line():
    is_stuck = [False]

    def read():
        if is_stuck[0]:
            time.sleep(0.1)
        return {"a": 100.0}

    with EnergyWindow(power_meter(read)) as window:
        time.sleep(0.02)
        is_stuck[0] = True
        time.sleep(0.15)
        is_stuck[0] = False
    assert "missed samples in" in window.result(1).reason


@pytest.mark.parametrize("power_mw", [-50.0, 5e6])
def test_a_wrong_sign_or_unit_is_refused(power_mw):
    with EnergyWindow(power_meter(lambda: {"a": power_mw})) as window:
        time.sleep(0.03)
    assert "the unit or sign is not the ABI's" in window.result(1).reason


def test_a_source_that_stands_still_while_work_runs_is_no_energy():
    meter = CounterMeter(About("toy", "toy", update_period_s=0.001), lambda: Count({"a": 7}))
    with EnergyWindow(meter) as window:
        time.sleep(0.03)
    assert "it stands still" in window.result(frames=5).reason
    assert window.result(frames=0).energy_mj == 0  # of an idle machine, whose table may count none


def test_a_clock_that_goes_back_is_refused():
    clock = Clock()
    meter = PowerMeter(About("toy", "toy"), lambda: {"a": 1.0}, clock)
    meter.read()
    clock.now_s -= 1
    with pytest.raises(DeviceTransientError, match="the clock went back by 1 s"):
        meter.read()


def test_files_that_vanish_end_the_measurement_not_the_work(tmp_path):
    write(tmp_path / HWMON, {"name": "ina226", "power1_input": 10**6, "update_interval": 1})
    with EnergyWindow(find_meter(tmp_path, "hwmon").meter) as window:
        time.sleep(0.03)
        (tmp_path / HWMON / "power1_input").unlink()
        time.sleep(0.1)
    read = window.result(5)
    assert (read.energy_mj, read.frames) == (None, 5)
    assert "power1_input is gone" in read.reason


def test_a_counter_that_wraps_in_mid_run_is_followed(tmp_path):
    zone, range_uj = tmp_path / "sys/class/powercap/intel-rapl:0", 20_000
    write(zone, {"name": "package-0", "energy_uj": 0, "max_energy_range_uj": range_uj})

    def step(passed_s):  # 500 mW: wraps each 40 ms
        replace_text(zone / "energy_uj", int(passed_s * 500_000) % range_uj)

    meter = find_meter(tmp_path, "rapl").meter
    meter.about = replace(meter.about, sample_rate_hz=200.0)
    with ticking(step), EnergyWindow(meter) as window:
        time.sleep(0.3)
    assert window.result(1).gross_mw == pytest.approx(500, rel=0.15)


def test_the_idle_machine_has_a_power_of_its_own():
    idle_mw, remark = measure_idle_mw(power_meter(lambda: {"a": 250.0}), 0.05)
    assert (idle_mw, remark.startswith("idle over 0.0")) == (pytest.approx(250.0), True)
    idle_mw, remark = measure_idle_mw(PowerMeter(About("toy", "toy"), lambda: {"a": 250.0}), 0.01)
    assert (idle_mw, "saw 0 updates" in remark) == (None, True)
