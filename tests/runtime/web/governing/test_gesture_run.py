"""How busy the threads that draw kept their core during a gesture."""

import pytest

from runtime.device.setting import Setting
from runtime.web.browser.processes import Drawing
from runtime.web.browser.thread_times import ThreadTime
from runtime.web.governing.gesture_run import GestureRun
from runtime.web.governing.tracking import LiveGesture
from runtime.web.governing.work_model import GestureChoice

LITTLE = GestureChoice(0, Setting("little", 600_000), 0.2, 60.0)
BIG = GestureChoice(1, Setting("big", 2_000_000), 1.0, 60.0)


class Threads:
    """A main thread and the one that puts frames together, with CPU times that a test sets."""

    def __init__(self):
        self.ms = 1000.0

    def read(self, pids):
        return [ThreadTime(7, 7, "CrRendererMain", self.ms), ThreadTime(9, 11, "VizCompositorTh", self.ms)]


@pytest.mark.parametrize(
    ("is_emulated", "spent_ms", "busy", "used"),
    # An emulated core of 0.2 runs 20 of 100 ms; a real one runs all the time, and gets as much done.
    [(False, 45.0, 0.9, 0.18), (True, 9.0, 0.9, 0.18), (True, 2.0, 0.2, 0.04)],
)
def test_a_core_is_busy_by_the_time_of_all_threads(is_emulated, spent_ms, busy, used):
    threads = Threads()
    gesture = LiveGesture("scroll", 5.0, 5.0, "wheel", 16.7)
    run = GestureRun(gesture, 60.0, LITTLE, Drawing(7, 9, threads.read), is_emulated=is_emulated, now_s=5.0)
    threads.ms += spent_ms
    assert run.busy(5.1) == pytest.approx(busy)
    assert run.used(5.1) == pytest.approx(used)


def test_it_is_weighed_once_its_speed_was_read_and_it_lasts():
    gesture = LiveGesture("scroll", 5.0, 5.0, "wheel", 16.7)
    run = GestureRun(gesture, 60.0, LITTLE, Drawing(7, 9, Threads().read), is_emulated=True, now_s=5.0)
    assert not run.may_be_weighed(6.0)
    run.is_read = True
    assert not run.may_be_weighed(5.4)
    assert run.may_be_weighed(5.6)


def test_on_an_emulated_phone_a_core_counts_as_it_was_at_each_time():
    threads = Threads()
    gesture = LiveGesture("scroll", 5.0, 5.0, "wheel", 16.7)
    run = GestureRun(gesture, 60.0, LITTLE, Drawing(7, 9, threads.read), is_emulated=True, now_s=5.0)
    run.set(BIG, 5.1)
    threads.ms += 30.0  # of both together 60 of 0.2 x 100 + 100
    assert run.busy(5.2) == pytest.approx(0.5)
