"""The probe: it repeats, it moves no one, and a slower core shows in it."""

import os
import subprocess
import sys
import time

import pytest

from runtime.errors import DeviceStableError
from runtime.meters.probe import time_probe_ms


def test_it_runs_where_it_is_told_and_leaves_the_caller_alone():
    cpus = sorted(os.sched_getaffinity(0))
    assert time_probe_ms(cpus) > 0
    assert time_probe_ms() > 0
    assert sorted(os.sched_getaffinity(0)) == cpus


def test_a_cpu_that_is_not_there():
    with pytest.raises(DeviceStableError, match="cannot pin to CPUs"):
        time_probe_ms((4095,))


@pytest.mark.slow
def test_a_core_that_is_shared_looks_slower():
    cpu = max(os.sched_getaffinity(0))
    alone_ms = min(time_probe_ms((cpu,)) for _ in range(3))
    busy = f"import os; os.sched_setaffinity(0, {{{cpu}}})\nwhile True: pass"
    hogs = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(4)]
    try:
        time.sleep(1.0)
        assert min(time_probe_ms((cpu,)) for _ in range(3)) > 1.08 * alone_ms
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
