"""Threads that a killed governor had moved: let go again, if they are still the same ones."""

import os
import subprocess
import sys

import msgspec
import pytest

from runtime.device.actuators import Journal, move, read_places, restore
from runtime.device.actuators.journal import Entry
from runtime.device.actuators.states import ThreadsState
from runtime.device.actuators.threads_left import note_threads, release_threads

PROGRAM = """
import threading, time
for _ in range(2): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("ready", flush=True)
while input(): threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); print("born", flush=True)
"""
# A governor that notes, moves, and is killed.
KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.device.actuators import Journal, move, read_places
from runtime.device.actuators.threads_left import note_threads
tids = [int(tid) for tid in sys.argv[2:]]
Journal(Path(sys.argv[1])).write(note_threads(read_places(tids)))
move(tids, [int(min(os.sched_getaffinity(0)))])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def program():
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def threads(process):
    return [int(tid) for tid in os.listdir(f"/proc/{process.pid}/task")]


def cpus(process):
    return {frozenset(os.sched_getaffinity(tid)) for tid in threads(process)}


def test_threads_of_a_killed_governor_run_where_they_could_those_born_since_too(program, tmp_path):
    before = cpus(program)
    tids = list(map(str, threads(program)))
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), *tids], check=False)
    assert killed.returncode == -9
    program.stdin.write("one more\n")
    program.stdin.flush()
    program.stdout.readline()
    assert (len(threads(program)), cpus(program)) == (4, {frozenset({min(os.sched_getaffinity(0))})})
    (done,) = restore(Journal(tmp_path), dry_run=True)
    assert done.action == "would restore"
    (done,) = restore(Journal(tmp_path))
    assert (done.state.thing, done.action) == ("threads", "restored")
    assert f"3 of process {program.pid} on CPUs" in done.state.text
    assert cpus(program) == before
    assert restore(Journal(tmp_path)) == []


def test_another_process_of_the_same_number_is_left_alone(program):
    state = note_threads(read_places(threads(program)))
    other = msgspec.structs.replace(state, started_s={program.pid: state.started_s[program.pid] - 1.0})
    one = [min(os.sched_getaffinity(0))]
    move(threads(program), one)
    assert not release_threads(other)
    assert cpus(program) == {frozenset(one)}
    assert release_threads(state)


def test_a_process_that_has_ended_is_nothing_to_do(program, tmp_path):
    state = note_threads(read_places(threads(program)))
    path = Journal(tmp_path).write(state)
    entry = msgspec.json.decode(path.read_bytes(), type=Entry)
    path.write_bytes(msgspec.json.encode(Entry(entry.state, 2**22 - 1, 1.0, entry.boot_id)))
    program.kill()
    program.wait()
    (done,) = restore(Journal(tmp_path))
    assert done.action == "nothing to do: the process has ended"
    assert not list(tmp_path.glob("threads*.json"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"started_s": {-1: 1.0}},
        {"cpus": {7: (99_999,)}},
        {"cpus": {0: (1,)}},
        {"pins": {"../7": (1,)}},
    ],
)
def test_a_note_names_threads_and_cpus_alone(wrong):
    plain = {"type": "threads", "started_s": {7: 1.0}, "cpus": {7: (0,)}, "pins": {}}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(plain | wrong), type=ThreadsState)
