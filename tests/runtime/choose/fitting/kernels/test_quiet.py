"""A machine that other work slows for seconds at a time: what is timed in the quiet between."""

import pytest

from runtime.choose.fitting.kernels.quiet import QuietWatch
from runtime.engines import Samples


class Machine:
    """A core that takes 1 ms for a frame, and half as much again in the spans ``busy`` (s, s)."""

    def __init__(self, *busy):
        self.busy, self.now = busy, 0.0

    def now_s(self):
        return self.now

    def sleep(self, pause_s):
        self.now += pause_s

    def frame_ms(self):
        took_ms = 1.5 if any(start <= self.now < end for start, end in self.busy) else 1.0
        self.now += took_ms / 1e3
        return took_ms

    def sample(self, *, warmup, runs, fps=None):
        times_ms = tuple(self.frame_ms() for _ in range(warmup + runs))
        return Samples(None, times_ms[warmup:], 1)


def timed(machine, watch, count):
    """Time ``count`` graphs of 100 frames each and return the last frames of each."""
    found = []
    for _ in range(count):
        last = []
        watch.sample_quietly(lambda last=last: last.append(machine.sample(warmup=0, runs=100).samples_ms))
        found.append(last[-1])
    return found


def watch_of(machine, patience_s):
    watch = QuietWatch(machine, patience_s, sleep=machine.sleep, now_s=machine.now_s)
    assert watch.is_quiet()  # the first look: nothing quieter is known
    return watch


@pytest.mark.parametrize("busy", [(0.05, 3.0), (0.07, 2.0)])  # before a graph begins, and in its midst
def test_what_is_timed_is_timed_in_a_quiet_moment(busy):
    machine = Machine(busy)
    assert [set(frames) for frames in timed(machine, watch_of(machine, 10.0), 3)] == [{1.0}] * 3


def test_a_machine_that_stays_busy_is_waited_for_no_longer_than_was_said():
    machine = Machine((0.05, 1e9))
    watch = watch_of(machine, 4.0)
    assert len(timed(machine, watch, 10)) == 10
    assert watch.patience_s == 0
    assert machine.now < 4.0 + 10 * 0.3
