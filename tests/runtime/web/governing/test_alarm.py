"""Frames that come clearly slower, by how often one thread waits; /proc is a tree of files."""

from runtime.web.governing.alarm import Alarm


class Thread:
    def __init__(self, root):
        self.path = root / "proc/7/task/9/status"
        self.path.parent.mkdir(parents=True)
        self.waits, self.now_s = 1000.0, 0.0
        self.pass_s(0.0, 0.0)
        self.alarm = Alarm(7, 9, root=root)

    def pass_s(self, seconds, fps, waits_a_frame=1.15):
        self.now_s += seconds
        self.waits += seconds * (45.0 + fps * waits_a_frame)  # the display ticks 60 times a second
        self.path.write_text(f"Name:\tViz\nvoluntary_ctxt_switches:\t{round(self.waits)}\n")

    def looks(self, fps, predicted_fps, count, waits_a_frame=1.15, fps_target=60.0):
        alarms = []
        for _ in range(count):
            self.pass_s(0.11, fps, waits_a_frame)
            alarms.append(self.alarm.look(predicted_fps, fps_target, self.now_s))
        return alarms


def test_frames_as_predicted_raise_no_alarm_though_waits_scatter(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    for waits in (0.95, 1.45, 0.9, 1.15):
        assert not any(thread.looks(58.0, 60.0, 5, waits))


def test_frames_far_below_raise_it_at_the_second_look(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    assert thread.looks(25.0, 60.0, 5) == [False, False, True, False, True]  # the first one is of no frames


def test_frames_that_come_late_at_the_beginning_or_behind_a_change_raise_none(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    for _ in range(3):
        assert not any(thread.looks(5.0, 60.0, 1) + thread.looks(25.0, 60.0, 1) + thread.looks(58.0, 60.0, 2))
        thread.alarm.settle(thread.now_s)


def test_frames_enough_for_what_is_wanted_raise_none_though_more_were_predicted(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    assert not any(thread.looks(35.0, 58.0, 4, fps_target=30.0))
    assert thread.looks(25.0, 58.0, 4, fps_target=30.0) == [False, True, False, True]  # it has settled


def test_waits_at_ticks_without_a_frame_are_not_taken_for_frames(tmp_path):
    """A thread that waits 90 times a second shows 25 frames of a busy page (virtual list, Chromium 156)."""
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    assert any(thread.looks(24.0, 60.0, 4, waits_a_frame=(85 - 45) / 24))


def test_a_look_too_soon_says_nothing(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    thread.pass_s(0.01, 0.0)
    assert not thread.alarm.look(60.0, 60.0, thread.now_s)


def test_how_often_it_waits_in_a_frame_is_learnt(tmp_path):
    thread = Thread(tmp_path)
    for _ in range(12):
        thread.alarm.begin(thread.now_s)
        thread.looks(60.0, 60.0, 9, waits_a_frame=0.7)
        thread.alarm.learn(60.0)
    thread.alarm.begin(thread.now_s)
    assert not any(thread.looks(60.0, 60.0, 5, waits_a_frame=0.7))


def test_a_thread_that_is_gone_raises_none(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    thread.path.unlink()
    assert not thread.alarm.look(60.0, 60.0, 5.0)
    thread.alarm.learn(60)
