import os

import pytest

from runtime.device.actuators import allowed_cpus, pin
from runtime.errors import DeviceStableError


@pytest.fixture(autouse=True)
def _put_back():
    before = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, before)


def test_pinned_to_one_cpu():
    last = allowed_cpus()[-1]
    pin([last])
    assert allowed_cpus() == (last,)


def test_a_cpu_that_is_not_there():
    with pytest.raises(DeviceStableError, match=r"cannot pin to CPUs \[1023\]"):
        pin([1023])


def test_a_cpu_that_is_granted_only_in_part():
    with pytest.raises(DeviceStableError, match="was given"):
        pin([allowed_cpus()[0], 1023])
