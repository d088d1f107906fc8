"""Frames that come clearly slower, by how often one thread waits; /proc is a tree of files."""

from runtime.web.governing.alarm import Alarm


class Thread:
    def __init__(self, root):
        self.path = root / "proc/7/task/9/status"
        self.path.parent.mkdir(parents=True)
        self.waits, self.now_s = 1000.0, 0.0
        self.pass_s(0.0, 0.0)
        self.alarm = Alarm(7, 9, root)

    def pass_s(self, seconds, fps, waits_a_frame=1.9):
        self.now_s += seconds
        self.waits += seconds * fps * waits_a_frame
        self.path.write_text(f"Name:\tViz\nvoluntary_ctxt_switches:\t{round(self.waits)}\n")

    def looks(self, fps, predicted_fps, count, waits_a_frame=1.9):
        alarms = []
        for _ in range(count):
            self.pass_s(0.11, fps, waits_a_frame)
            alarms.append(self.alarm.look(predicted_fps, self.now_s))
        return alarms


def test_frames_as_predicted_raise_no_alarm_though_waits_scatter(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    for waits in (1.6, 2.2, 1.5, 1.9):
        assert not any(thread.looks(58.0, 60.0, 5, waits))


def test_frames_far_below_raise_it_at_the_second_look(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    assert thread.looks(25.0, 60.0, 4) == [False, True, False, True]


def test_a_look_too_soon_says_nothing(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    thread.pass_s(0.01, 0.0)
    assert not thread.alarm.look(60.0, thread.now_s)


def test_how_often_it_waits_in_a_frame_is_learnt(tmp_path):
    thread = Thread(tmp_path)
    for _ in range(12):
        thread.alarm.begin(thread.now_s)
        thread.pass_s(1.0, 60.0, waits_a_frame=1.3)
        thread.alarm.learn(60)
    thread.alarm.begin(thread.now_s)
    assert not any(thread.looks(60.0, 60.0, 5, waits_a_frame=1.3))


def test_a_thread_that_is_gone_raises_none(tmp_path):
    thread = Thread(tmp_path)
    thread.alarm.begin(0.0)
    thread.path.unlink()
    assert not thread.alarm.look(60.0, 5.0)
    thread.alarm.learn(60)
