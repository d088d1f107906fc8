"""Programs of several processes on a real emulated machine: moved as one, their energy that of their CPU."""

import os
import subprocess
import sys
import time

import pytest

START = """
import os, subprocess, sys, time
from pathlib import Path
from runtime.device.actuators import move, restore_places, read_places
from runtime.device.marker import announced_cpus, find_marker, read_pinned
from runtime.errors import EdgekitError
PROGRAM = (
    "import threading, time\\n"
    "for _ in range(3): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\\n"
    "print('ready', flush=True)\\n"
    "time.sleep(60)"
)
def start(program, *before):
    process = subprocess.Popen([*before, sys.executable, "-c", program], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process
def threads(processes):
    return [int(tid) for each in processes for tid in os.listdir(f"/proc/{each.pid}/task")]
"""

MOVES = """
processes = [start(PROGRAM) for _ in range(3)]
tids, pids = threads(processes), [each.pid for each in processes]
host = set(find_marker().map([7]))
places = read_places(tids)
for cpu in (7, 3, 6):
    move(tids, [cpu])
    print(set(read_pinned(pids).values()) == {(cpu,)}, all(os.sched_getaffinity(t) == host for t in tids))
try:
    move([threads(processes[2:])[0]], [2])  # while the others play the big cluster
except EdgekitError as err:
    print("cannot play" in str(err), set(read_pinned(pids).values()) == {(6,)})
restore_places(places)
print(read_pinned(pids), all(os.sched_getaffinity(t) == os.sched_getaffinity(0) for t in tids))
"""


def test_processes_move_between_clusters_as_one(inside):
    out = inside(START + MOVES, python=True)
    assert out.splitlines() == ["True True"] * 3 + ["True True", "{} True"]


LOOPS = """
Path("/sys/devices/system/cpu/cpufreq/policy4/scaling_governor").write_text("performance\\n")
meter = Path("/sys/class/hwmon/hwmon0/energy2_input")
def read_mw(seconds):
    time.sleep(0.5)
    begin_s, begin_uj = time.monotonic(), int(meter.read_text())
    time.sleep(seconds)
    return (int(meter.read_text()) - begin_uj) / 1e3 / (time.monotonic() - begin_s)
LOOP = (
    "from runtime.device.actuators import pin\\npin([7])\\n{more}print('ready', flush=True)\\n"
    "while True: pass"
)
"""


@pytest.mark.slow
def test_loops_on_one_cpu_take_the_power_of_one(inside):
    """They read 540, 820 and 1105 mW."""
    out = inside(
        START + LOOPS + "processes = []\n"
        "for _ in range(3):\n"
        "    processes.append(start(LOOP.format(more='')))\n"
        "    print(read_mw(2))\n"
        "[each.kill() for each in processes], [each.wait() for each in processes]\n"
        "start(LOOP.format(more='import os\\nos.fork(), os.fork()\\n'))\n"
        "print(read_mw(2))\n",
        python=True,
    )
    one_mw, *more_mw = map(float, out.split())
    assert one_mw > 1000
    assert more_mw == [pytest.approx(one_mw, rel=0.03)] * 3


@pytest.mark.slow
def test_the_hosts_other_work_does_not_change_a_busy_cpus_power(inside):
    hosts = sorted(os.sched_getaffinity(0))
    code = f"import os\nos.sched_setaffinity(0, {{{hosts[-1]}}})\nwhile True: pass"
    script = START + LOOPS + "start(LOOP.format(more=''))\nprint(read_mw(3))\n"
    quiet_mw = float(inside(script, python=True))
    with subprocess.Popen(["nice", sys.executable, "-c", code]) as other:
        time.sleep(0.1)
        busy_mw = float(inside(script, python=True))
        other.kill()
    assert busy_mw == pytest.approx(quiet_mw, rel=0.05)
