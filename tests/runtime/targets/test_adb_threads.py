"""Threads of other programs on a rooted phone: where they run, and back to where they could."""

import os
import signal
import subprocess
import sys

import pytest

from runtime.device.actuators import Journal
from runtime.errors import DeviceStableError
from runtime.targets.adb.shell import AdbShell
from runtime.targets.adb.target import AdbTarget
from runtime.targets.adb.threads import moved, read_busy_s, read_times
from runtime.targets.restoring import restore_target
from tests.places import ROOT
from tests.runtime.targets.fake_phone import FakePhones

pytest.importorskip("devlib", reason="pip install -e '.[lab]'")
HOLD = """
import sys, time
from runtime.targets.adb.target import AdbTarget
from runtime.targets.adb.threads import moved
target = AdbTarget("P6")
with moved(target.shell, target.journal, [int(sys.argv[1])], [7]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def phone(tmp_path, monkeypatch):
    return FakePhones(tmp_path, monkeypatch).add("P6", is_rooted=True)


@pytest.fixture
def program():
    with subprocess.Popen(["sleep", "60"]) as running:
        yield running.pid
        running.kill()


def test_threads_and_their_time_are_read_in_one_call(phone, program):
    shell = AdbShell("P6")
    ((pid, tid, name, times),) = read_times(shell, [program, 4_000_000])
    assert (pid, tid, name) == (program, program, "sleep")
    assert int(times.split()[0]) > 0
    assert read_busy_s(shell, [program]) >= 0
    assert read_busy_s(shell, [program, 4_000_000]) is None


def test_threads_are_moved_within_the_block_and_restored(phone, program):
    target = AdbTarget("P6")
    with moved(target.shell, target.journal, [program], [6, 7]):
        assert phone.masks() == {program: "c0"}
        assert len(Journal().entries()) == 1
    assert phone.masks() == {program: "ff"}
    assert Journal().entries() == []


def test_programs_that_are_gone_are_not_moved(phone):
    target = AdbTarget("P6")
    with (
        pytest.raises(DeviceStableError, match="does not show where threads of processes"),
        moved(target.shell, target.journal, [4_000_000], [7]),
    ):
        pass


def test_threads_of_a_killed_run_are_restored(phone, program):
    command = [sys.executable, "-c", HOLD, str(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as holder:
        assert holder.stdout.readline() == "held\n"
        assert phone.masks() == {program: "80"}
        os.kill(holder.pid, signal.SIGKILL)
    (restored,) = restore_target("adb:P6")
    assert (restored.action, restored.device) == ("restored", "adb:P6")
    assert phone.masks() == {program: "ff"}
    assert restore_target("adb:P6") == []


def test_threads_that_have_ended_are_nothing_to_restore(phone):
    with subprocess.Popen(["sleep", "60"]) as gone:
        command = [sys.executable, "-c", HOLD, str(gone.pid)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as holder:
            assert holder.stdout.readline() == "held\n"
            os.kill(holder.pid, signal.SIGKILL)
        gone.kill()
    (restored,) = restore_target("adb:P6")
    assert restored.action == "nothing to do: the process has ended"
