"""Real processes, moved between real CPUs."""

import contextlib
import os
import subprocess
import sys
import time

import pytest

from runtime.device.actuators import born_of, family_of, move, read_places, restore_places
from runtime.errors import DeviceStableError, PermissionNeeded

CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
pytestmark = pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs to move between")

# Three sleeping threads; for each line on standard input another thread and another process.
PROGRAM = """
import subprocess, sys, threading, time
def start():
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
start(), start()
print("ready", flush=True)
for line in sys.stdin:
    start()
    subprocess.Popen(["sleep", "60"])
    print("ready", flush=True)
"""


def threads(pid):
    return [int(tid) for tid in os.listdir(f"/proc/{pid}/task")]


def affinities(tids):
    return {frozenset(os.sched_getaffinity(tid)) for tid in tids}


@pytest.fixture
def programs():
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for _ in range(3)
    ]
    for program in started:
        program.stdout.readline()
    yield started
    for program in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, 9)
        program.communicate()


def grow(program):
    program.stdin.write("\n")
    program.stdin.flush()
    program.stdout.readline()


def test_threads_of_several_processes_move_as_one_and_go_back(programs):
    tids = [tid for program in programs for tid in threads(program.pid)]
    before = affinities(tids)
    places = move(tids, [CPUS[1]])
    assert affinities(tids) == {frozenset([CPUS[1]])}
    restore_places(places)
    assert affinities(tids) == before


def test_what_moved_threads_start_is_found_and_goes_back_too(programs):
    tids = threads(programs[0].pid)
    places = read_places(tids)
    assert born_of(places) == ()
    move(tids, [CPUS[0]])
    grow(programs[0])
    born = born_of(places)
    assert set(born) == set(family_of(programs[0].pid)) - set(tids)
    assert len(born) == 2
    assert affinities(born) == {frozenset([CPUS[0]])}
    restore_places(places, born)
    assert affinities([*tids, *born]) == {frozenset(CPUS)}


def test_threads_that_were_not_moved_are_nobodys(programs):
    first, *others = sorted(threads(programs[0].pid))
    places = move([first], [CPUS[0]])
    assert affinities(others) == {frozenset(CPUS)}
    assert born_of(places) == ()


def test_threads_that_have_ended_are_passed_over(programs):
    programs[0].kill()
    programs[0].wait()
    tids = [programs[0].pid, *threads(programs[1].pid)]
    move(tids, [CPUS[1]])
    assert affinities(tids[1:]) == {frozenset([CPUS[1]])}


def test_none_moves_where_one_may_not(programs, monkeypatch):
    tids = [tid for program in programs for tid in threads(program.pid)]
    forbidden, really = tids[-1], os.sched_setaffinity

    def refuse(tid, cpus):
        if tid == forbidden:
            raise PermissionError(1, "Operation not permitted")
        really(tid, cpus)

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    with pytest.raises(PermissionNeeded, match=f"thread {forbidden} may not be moved"):
        move(tids, [CPUS[1]])
    assert affinities(tids) == {frozenset(CPUS)}


def test_none_moves_to_a_cpu_that_is_not_there(programs):
    tids = [tid for program in programs for tid in threads(program.pid)]
    with pytest.raises(DeviceStableError, match=r"to CPUs \[1023\]"):
        move(tids, [1023])
    assert affinities(tids) == {frozenset(CPUS)}


def test_threads_born_during_the_move_move_along():
    program = (
        "import threading, time\n"
        "print('ready', flush=True)\n"
        "end_s = time.monotonic() + 20\n"
        "while time.monotonic() < end_s:\n"
        "    thread = threading.Thread(target=time.sleep, args=(0.05,))\n"
        "    thread.start()\n"
        "    time.sleep(0.001)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(0.2)
        for turn in range(20):
            cpu = CPUS[turn % 2]
            move(threads(process.pid), [cpu])
            time.sleep(0.005)
            assert affinities([process.pid]) == {frozenset([cpu])}
            late = [tid for tid in threads(process.pid) if _affinity(tid) not in (None, {cpu})]
            assert late == []
        process.kill()


def _affinity(tid):
    try:
        return os.sched_getaffinity(tid)
    except ProcessLookupError:
        return None
