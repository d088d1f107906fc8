"""The probe: it repeats, it moves no one, and a slower core shows in it."""

import os

import pytest

from runtime.device.emulation.steal import Spinner, build
from runtime.device.meters.probe import time_probe_ms
from runtime.errors import DeviceStableError, DeviceTransientError


def test_it_runs_where_it_is_told_and_leaves_the_caller_alone():
    cpus = sorted(os.sched_getaffinity(0))
    assert time_probe_ms(cpus) > 0
    assert time_probe_ms() > 0
    assert sorted(os.sched_getaffinity(0)) == cpus


def test_a_cpu_that_is_not_there():
    with pytest.raises(DeviceStableError, match="cannot pin to CPUs"):
        time_probe_ms((4095,))


@pytest.mark.slow
def test_a_slower_core_looks_slower():
    cpu = max(os.sched_getaffinity(0))
    alone_ms = min(time_probe_ms((cpu,)) for _ in range(3))
    try:
        spinner = Spinner(build(), cpu)
        spinner.wait_ready()
    except (DeviceStableError, DeviceTransientError) as err:
        pytest.skip(str(err))
    try:
        spinner.keep(0.5)
        slowed_ms = min(time_probe_ms((cpu,)) for _ in range(3))
    finally:
        spinner.close()
    assert 1.6 * alone_ms < slowed_ms < 2.8 * alone_ms
