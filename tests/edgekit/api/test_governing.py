"""Frames of this very program under a governor, on this machine's CPUs with clocks that are files."""

import os
import time

import pytest

import edgekit
from edgekit import govern
from runtime.errors import BundleError, DeviceStableError, DeviceTransientError
from runtime.measure.frame_log import read_log


def read(machine, name):
    return (machine.root / f"sys/devices/system/cpu/cpufreq/policy0/scaling_{name}").read_text().strip()


def clocks(machine):
    return {name: read(machine, name) for name in ("governor", "min_freq", "max_freq")}


def test_frames_are_governed_and_everything_restored(machine, tmp_path):
    before, affinity, messages = clocks(machine), os.sched_getaffinity(0), []
    with govern(fps=50, target=machine, log=tmp_path / "log", on_message=messages.append) as frames:
        for number in range(10):
            if number % 2:
                with frames.frame():
                    time.sleep(0.002)
            else:
                frames.begin()
                frames.report(2.0)
        assert frames.is_governed, frames.problem
        held = clocks(machine)
    assert held != before
    assert clocks(machine) == before
    assert os.sched_getaffinity(0) == affinity
    header, lines = read_log(tmp_path / "log")
    assert (header.fps_target, len(lines)) == (50, 10)
    assert any("to learn" in message for message in messages)


def test_everything_is_restored_after_an_error_of_the_block(machine):
    before = clocks(machine)

    def fail():
        with govern(fps=50, target=machine) as frames:
            frames.report(3.0)
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fail()
    assert clocks(machine) == before


def test_a_policy_of_the_machine_is_followed(machine, bundle):
    edgekit.bench(bundle, machine, runs=5, blocks=1)
    policy = edgekit.tune(bundle, machine, fps=20)
    with govern(policy, target=machine) as frames:
        frames.report(policy.chosen.latency_ms)
        answer = frames.answer
        held_khz = int(read(machine, "setspeed"))
    assert (answer["ok"], answer["cluster"]) == (True, policy.setting.cluster)
    assert answer["freq_khz"] == held_khz
    edgekit.bench(bundle, "virtual:gs101")
    alien = edgekit.tune(bundle, "virtual:gs101", fps=30)
    with pytest.raises(BundleError, match="is for another device"), govern(alien, target=machine):
        pass


def test_two_governors_would_fight_and_a_virtual_phone_runs_nothing(machine):
    with govern(fps=50, target=machine), pytest.raises(DeviceTransientError), govern(fps=50, target=machine):
        pass
    with (
        pytest.raises(DeviceStableError, match="cannot be governed from here"),
        govern(target="virtual:gs101"),
    ):
        pass
    with pytest.raises(ValueError, match="fps is 0"), govern(fps=0, target=machine):
        pass
