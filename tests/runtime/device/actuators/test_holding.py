"""A held clock is restored whatever ends the run, and two runs never hold one clock."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from runtime.device.actuators import CpuFreq, Journal, restore
from runtime.device.soc import load_profile
from runtime.device.soc.tree import SocTree
from runtime.errors import DeviceStableError, DeviceTransientError

MID = [4, 5]  # of gs101
NAMES = ("scaling_governor", "scaling_min_freq", "scaling_max_freq")
HOLD = """
import pathlib, sys, threading, time
from runtime.device.actuators import CpuFreq, Journal
from runtime.device.actuators import cpufreq
root, journal, where = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
class Stuck(CpuFreq):
    def read_khz(self, policy): return None  # no kernel moves the clock in this tree
freq = Stuck(root, journal=Journal(journal))
def hold():
    with freq.hold(freq.domain_of([4]), 799000):
        print("held", flush=True)
        time.sleep(60)
if where == "slow":  # restoring takes long: a second signal comes in the middle of it
    write = cpufreq._write
    cpufreq._write = lambda *a: (write(*a), time.sleep(0.1))
if where == "thread":
    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
else:
    hold()
"""


@pytest.fixture
def freq(tmp_path):
    tree = SocTree(load_profile("gs101"), tmp_path / "root")
    return CpuFreq(tree.root, settle=tree.settle, journal=Journal(tmp_path / "journal"))


def state(freq):
    return [(freq.domain_of(MID).path / name).read_text().strip() for name in NAMES]


def hold_elsewhere(freq, where="main"):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(freq.root), str(freq._journal.folder), where],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    assert child.stdout.readline() == "held\n"
    return child


def wait_for(claim, seconds=10):
    until = time.monotonic() + seconds
    while not claim() and time.monotonic() < until:
        time.sleep(0.02)
    return claim()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_puts_everything_back(freq, signum):
    before = state(freq)
    child = hold_elsewhere(freq)
    assert state(freq)[0] == "userspace"
    child.send_signal(signum)
    child.wait(10)
    assert state(freq) == before
    assert freq._journal.entries() == []


def test_signals_while_it_is_put_back_wait(freq):
    before = state(freq)
    child = hold_elsewhere(freq, "slow")
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        child.send_signal(signum)
        time.sleep(0.07)
    assert child.wait(10) != 0
    assert state(freq) == before
    assert freq._journal.entries() == []


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_a_clock_held_in_a_thread_is_put_back_by_the_guardian(freq, signum):
    before = state(freq)
    child = hold_elsewhere(freq, "thread")
    child.send_signal(signum)
    child.wait(10)
    assert wait_for(lambda: freq._journal.entries() == [])
    assert state(freq) == before


def test_two_runs_never_hold_one_clock(freq):
    child = hold_elsewhere(freq)
    try:
        with (
            pytest.raises(DeviceTransientError, match=f"policy4 is held by another run .process {child.pid}"),
            freq.hold(freq.domain_of(MID), 400000),
        ):
            pass
        with freq.hold(freq.domain_of([6]), 500000):  # another clock is free
            pass
        assert state(freq)[0] == "userspace"
    finally:
        child.kill()
        child.wait(10)


def test_what_a_killed_run_left_is_put_back_before_the_next(freq):
    before = state(freq)
    child = hold_elsewhere(freq)
    child.kill()
    child.wait(10)
    assert state(freq) != before
    with freq.hold(freq.domain_of(MID), 400000):
        assert state(freq) != before
    assert state(freq) == before
    assert freq._journal.entries() == []


def test_of_several_killed_runs_the_first_knew_how_it_was(freq):
    before = state(freq)
    child = hold_elsewhere(freq)
    child.kill()
    child.wait(10)
    [(path, _)] = freq._journal.entries()
    for name in ("policy4-1.json", "policy4-9999999.json"):  # noted later, of a clock already changed
        later = path.read_text().replace("schedutil", "powersave").replace('"pid":', '"pid":1')
        path.with_name(name).write_text(later)
    assert [done.action for done in restore(freq._journal)] == ["restored"] * 3
    assert state(freq) == before


def test_a_killed_process_that_nobody_waited_for_owes_its_state(freq):
    before = state(freq)
    child = hold_elsewhere(freq)
    child.kill()
    assert wait_for(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    assert [done.action for done in restore(freq._journal)] == ["restored"]
    assert state(freq) == before
    child.wait(10)


def test_setting_the_clock_does_not_make_an_owner_look_dead(freq, monkeypatch):
    with freq.hold(freq.domain_of(MID), 400000):
        monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: 1.0)  # what btime does when time is set
        monkeypatch.setattr(time, "time", lambda: 5.0)
        [done] = restore(freq._journal)
        assert done.action.startswith("left alone")
        assert state(freq)[0] == "userspace"


def test_a_file_that_vanished_keeps_nothing_else_from_being_put_back(freq, tmp_path):
    before = state(freq)
    policy = freq.domain_of(MID).path
    limit = (policy / "scaling_max_freq").read_text()
    with pytest.raises(DeviceStableError, match="scaling_max_freq"), freq.hold(freq.domain_of(MID), 400000):
        (policy / "scaling_max_freq").unlink()
    assert (policy / "scaling_governor").read_text().strip() == before[0]
    (policy / "scaling_max_freq").write_text(limit)
    [(path, _)] = freq._journal.entries()
    path.write_text(path.read_text().replace(f'"pid":{os.getpid()}', '"pid":1'))
    assert [done.action for done in restore(freq._journal)] == ["restored"]
    assert state(freq) == before
