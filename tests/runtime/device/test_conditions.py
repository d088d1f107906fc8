from dataclasses import replace

import msgspec
import pytest

from runtime.device.conditions import Conditions, interference

BEFORE = Conditions(
    10.0, cpus=(2, 3), n_cpus=4, own_busy_s=1.0, own_wait_s=0.5, cpus_busy_s=100.0, cpus_steal_s=1.0,
    machine_busy_s=200.0, machine_steal_s=2.0, pressure_s=7.0,
)  # fmt: skip
AFTER = Conditions(
    12.0, cpus=(2, 3), n_cpus=4, own_busy_s=3.0, own_wait_s=0.6, cpus_busy_s=103.0 + 0.01 * 2**0.5,
    cpus_steal_s=1.4, machine_busy_s=204.02, machine_steal_s=2.4, pressure_s=8.0,
)  # fmt: skip


def test_others_are_the_busy_time_less_ones_own():
    others = interference(BEFORE, AFTER)
    assert others.cpus_share == pytest.approx(1.0 / 4.0)  # 3 s and a rounding, less 2 s, of 2 x 2 s
    assert others.machine_share == pytest.approx(2.0 / 8.0)
    assert others.wait_share == pytest.approx(0.1 / 2.0)
    assert others.steal_share == pytest.approx(0.4 / 4.0)
    assert others.pressure_share == 0.5


def test_edgekits_own_work_is_nobody_elses():
    before, after = replace(BEFORE, edgekit_busy_s=4.0), replace(AFTER, edgekit_busy_s=4.5)
    others = interference(before, after)
    assert others.cpus_share == pytest.approx(0.5 / 4.0)
    assert others.wait_share == pytest.approx(0.1 / 2.0)  # of the work's own time


def test_what_was_not_read_stays_unknown():
    others = interference(Conditions(0.0), Conditions(1.0))
    assert (others.cpus_share, others.machine_share, others.wait_share, others.pressure_share) == (None,) * 4
    assert interference(BEFORE, replace(AFTER, cpus_busy_s=1.0)).cpus_share is None  # a CPU was unplugged


def test_conditions_travel():
    packed = msgspec.msgpack.encode(BEFORE)
    assert msgspec.msgpack.decode(packed, type=Conditions) == BEFORE
