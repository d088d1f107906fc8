"""Frames whose work varies: what a governor does about each while it runs."""

import random
import threading

import pytest

from runtime.choose.decision import DecisionTable, SlowdownRule
from runtime.choose.decision.controller import Controller
from runtime.choose.frame_policy.controller import FrameController
from runtime.govern.governor.client import Session
from runtime.govern.governor.server import Server
from tests.runtime.govern.governor.talk import OWN, Talk
from tests.runtime.govern.governor.toy import TABLE, row, toy

PERIOD_MS = 33.3


def strategies(deadline_ms, period_ms):
    """Compute tables while a frame waits, so that a test knows when they are there."""
    return FrameController(TABLE, deadline_ms, period_ms=period_ms)


def without_tables(deadline_ms, period_ms):
    """Compute none, so that no client waits for one."""
    return FrameController(TABLE, deadline_ms, period_ms=period_ms, run=lambda job: None)


FASTEST = 3  # row of TABLE


def taught(frames_ms=(2.5,) * 30, deadline_ms=PERIOD_MS):
    """Return a controller that has seen frames which took so long at the fastest row."""
    controller = FrameController(TABLE, deadline_ms, period_ms=PERIOD_MS)
    for ms in frames_ms:
        controller.learn([(FASTEST, ms)])
    return controller


def plan_of(controller, remaining_ms):
    """Return the rows of a frame that does not end, and when each begins."""
    rows, begins_ms = [controller.begin(remaining_ms, 0.0).row], [0.0]
    while controller.next_ms < float("inf"):
        begins_ms.append(controller.next_ms)
        rows.append(controller.change().row)
    return rows, begins_ms


def test_the_first_frame_runs_at_the_fastest_and_the_next_ones_begin_slower():
    controller = FrameController(TABLE, PERIOD_MS, period_ms=PERIOD_MS)
    assert (controller.decide(0.0).row, controller.next_ms) == (FASTEST, float("inf"))
    controller.learn([(FASTEST, 2.5)])
    assert controller.decide(0.0).row < FASTEST


def test_a_frame_that_runs_long_speeds_up_in_time():
    rows, begins_ms = plan_of(taught(), PERIOD_MS)
    assert rows[0] == 0  # 20 ms there, of 33.3
    assert rows == sorted(rows)
    assert rows[-1] == FASTEST
    assert begins_ms == sorted(begins_ms)
    assert 20.0 < begins_ms[-1] < PERIOD_MS


def test_a_frame_with_less_time_begins_faster():
    assert plan_of(taught(), 12.0)[0][0] > plan_of(taught(), PERIOD_MS)[0][0]
    demanding = taught([14.0] * 30)
    assert demanding.begin(PERIOD_MS, 0.0).row < FASTEST
    assert demanding.begin(-15.0, 0.0).row == FASTEST  # the next one's time is running


def test_work_is_learnt_whatever_it_ran_at():
    """Half of the frame at 40 ms, a quarter at 20, a quarter at 5: one frame of the table's work."""
    parts, whole = taught([]), taught([])
    for _ in range(20):
        parts.learn([(0, 20.0), (1, 5.0), (FASTEST, 1.25)])
        whole.learn([(FASTEST, 5.0)])
    assert plan_of(parts, PERIOD_MS) == plan_of(whole, PERIOD_MS)
    assert parts.bound_ms(FASTEST) == pytest.approx(5.0, rel=0.05)
    parts.learn([(0, 20.0), (None, 500.0)])  # another clock than any row's
    assert parts.bound_ms(FASTEST) == pytest.approx(5.0, rel=0.05)


def test_frames_that_nothing_is_fast_enough_for_are_said_once():
    controller = taught([40.0] * 20)
    assert "frames are too long for 33.3 ms at big @ 2850 MHz x1" in controller.decide(0.0).reason
    again = controller.decide(0.0)
    assert (again.row, again.meets_deadline, again.reason) == (FASTEST, False, "")
    assert controller.headroom() == pytest.approx(1 - 40.0 / PERIOD_MS, abs=0.05)


def test_caps_hold_in_every_part_of_a_frame():
    controller = taught([4.0] * 30)
    controller.caps, controller.max_power_mw = {"big": 1_106_000}, 500.0
    assert set(plan_of(controller, PERIOD_MS)[0]) <= {0, 1, 2}


def test_settings_of_unknown_power_are_refused():
    table = DecisionTable((row("mid", 400_000, 40.0, None), row("big", 1_106_000, 10.0, 200.0)))
    with pytest.raises(ValueError, match="power of some settings is not known"):
        FrameController(table, PERIOD_MS, period_ms=PERIOD_MS)


def play(frames, governor):
    """Run frames of so much work (ms at the fastest) one after the other; return energy and late frames."""
    energy_mj = late = 0
    free_ms = 0.0
    for number, full_ms in enumerate(frames):
        begin_ms = max(free_ms, number * PERIOD_MS)
        deadline_ms = (number + 1) * PERIOD_MS
        work_ms, now_ms, parts = full_ms, 0.0, []
        for index, until_ms in governor.plan(deadline_ms - begin_ms):
            slowness = TABLE.rows[index].latency_ms / TABLE.rows[FASTEST].latency_ms
            ms = min(until_ms - now_ms, work_ms * slowness)
            parts.append((index, ms))
            work_ms, now_ms = work_ms - ms / slowness, now_ms + ms
            if work_ms <= 1e-9:
                break
        free_ms = begin_ms + now_ms
        energy_mj += sum(TABLE.rows[index].power_mw * ms / 1e3 for index, ms in parts)
        is_late = free_ms > deadline_ms + 1e-6
        late += is_late
        governor.learn(parts, is_late)
    return energy_mj, late


class WithinFrames:
    """Rows of a frame with their ends in ms; of at most ``steps``, where that is given."""

    def __init__(self, steps=None):
        self.controller = FrameController(TABLE, PERIOD_MS, period_ms=PERIOD_MS)
        self.steps = steps

    def plan(self, remaining_ms):
        rows, begins_ms = plan_of(self.controller, remaining_ms)
        rows = rows[: self.steps]
        return list(zip(rows, [*begins_ms[1 : len(rows)], float("inf")], strict=True))

    def learn(self, parts, is_late):
        self.controller.learn(parts, is_late)


class ByTable:
    """One row for each frame, by what frames take at most."""

    def __init__(self):
        self.controller = Controller(TABLE, PERIOD_MS, rule=SlowdownRule(late_share=0.05))

    def plan(self, remaining_ms):
        return [(self.controller.decide(0.0).row or 0, float("inf"))]

    def learn(self, parts, is_late):
        [(index, ms)] = parts
        self.controller.observe(ms, index, 0.0, is_late)


def varied_frames(seed, count=3000):
    """The standard workload: phases of 2 to 10 s, 15 % jitter, 5 % frames of twice the work."""
    random_ = random.Random(seed)
    frames = []
    while len(frames) < count:
        level = PERIOD_MS * 0.1 * 9 ** random_.random()
        for _ in range(random_.randint(60, 300)):
            heavy = 2 if random_.random() < 0.05 else 1
            frames.append(level * heavy * max(0.2, random_.gauss(1, 0.15)))
    return frames[:count]


def test_changing_within_frames_saves_over_one_row_a_frame_and_over_the_table():
    frames = varied_frames(seed=3)
    energy_mj, late = play(frames, WithinFrames())
    one_row_mj, one_row_late = play(frames, WithinFrames(steps=1))
    table_mj, table_late = play(frames, ByTable())
    assert energy_mj < 0.75 * table_mj
    assert late < 1.5 * table_late
    assert late < 0.7 * one_row_late
    assert energy_mj < 1.1 * one_row_mj  # what being in time costs


def test_a_frame_changes_the_machine_while_it_runs(tmp_path):
    phone = toy(tmp_path, strategies=strategies)
    with phone.clocks:
        session = phone.governor.open(7, (7,), PERIOD_MS)
        assert phone.read("big") == "2850000"
        for _ in range(30):
            phone.governor.begin(session.number)
            phone.now.s += 2.5 / 1e3 * TABLE.rows[session.in_effect].latency_ms / 5.0
            took_ms = 2.5 * TABLE.rows[session.in_effect].latency_ms / 5.0
            phone.governor.report(session.number, took_ms)
        assert phone.governor.change_s == float("inf")  # no frame runs
        phone.governor.begin(session.number)
        begun_s, first = phone.now.s, session.in_effect
        assert (first, phone.read("mid")) == (0, "400000")
        while phone.governor.change_s < float("inf"):
            phone.now.s = phone.governor.change_s
            phone.governor.change()
        assert phone.read("big") == "2850000"
        assert phone.moved[-1] == ((7,), (7,))
        slow_ms = (phone.now.s - begun_s) * 1e3
        phone.governor.report(session.number, slow_ms + 3.0)
        parts_mj = 1400.0 * 3.0 / 1e3
        assert parts_mj < phone.lines[-1].energy_mj < 1400.0 * (slow_ms + 3.0) / 1e3
        assert phone.lines[-1].freq_khz == 2_850_000  # where it ended
        phone.governor.close(session.number)
    assert phone.governors() == ["schedutil"] * 3


def test_a_program_that_reports_no_begins_gets_one_row_a_frame(tmp_path):
    phone = toy(tmp_path, strategies=strategies)
    with phone.clocks:
        session = phone.governor.open(7, (7,), PERIOD_MS)
        for _ in range(30):
            phone.governor.report(session.number, 2.5 * TABLE.rows[session.in_effect].latency_ms / 5.0)
            assert phone.governor.change_s == float("inf")
        assert session.in_effect < FASTEST


def test_no_frame_waits_for_a_table():
    """Tables take a tenth of a second each: meanwhile the nearest that is there is followed."""
    jobs = []
    controller = FrameController(TABLE, PERIOD_MS, period_ms=PERIOD_MS, run=jobs.append)
    for _ in range(3):
        controller.learn([(FASTEST, 2.5)])
        assert controller.begin(PERIOD_MS, 0.0).row == FASTEST
    assert len(jobs) == 1  # one at a time
    jobs.pop()()
    assert controller.begin(PERIOD_MS, 0.0).row == 0
    for ms in [1.5, 4.0, 2.0, 6.0, 1.0, 5.0] * 20:  # another scatter
        controller.learn([(FASTEST, ms)])
    assert len(jobs) == 1
    assert controller.begin(PERIOD_MS, 0.0).row < FASTEST
    before = plan_of(controller, PERIOD_MS)
    while jobs:
        jobs.pop()()
        controller.learn([(FASTEST, 2.5)])
    assert plan_of(controller, PERIOD_MS) != before


def test_a_lost_clock_leaves_the_frame_to_the_kernel(tmp_path):
    phone = toy(tmp_path, strategies=strategies)
    with phone.clocks:
        session = phone.governor.open(7, (7,), PERIOD_MS)
        phone.governor.begin(session.number)
        session.strategy.trust.distrust(phone.now.s)
        phone.governor.tick()
        phone.governor.report(session.number, 5.0)
        assert session.row is None
        phone.governor.begin(session.number)
        assert phone.governor.change_s == float("inf")
        assert phone.governors() == ["schedutil"] * 3
        phone.now.s += 6.0
        phone.governor.report(session.number, 5.0)
        assert session.row is not None
        assert any("back from the kernel's clock" in message for message in phone.messages)


def test_a_silent_program_in_the_middle_of_a_frame_lets_its_clock_go(tmp_path):
    phone = toy(tmp_path, strategies=strategies)
    with phone.clocks:
        session = phone.governor.open(7, (7,), PERIOD_MS)
        phone.governor.begin(session.number)
        phone.now.s += 5.1
        phone.governor.tick()
        assert phone.governors() == ["schedutil"] * 3
        assert phone.governor.change_s == float("inf")
        phone.governor.begin(session.number)
        assert phone.read("big") == "2850000"


@pytest.fixture
def phone(request, tmp_path):
    phone = toy(tmp_path, strategies=getattr(request, "param", strategies))
    server = Server(phone.governor, tmp_path / "g.sock", now=phone.now, on_message=phone.messages.append)
    with phone.clocks, server:
        phone.server = server
        yield phone


def test_begins_over_the_socket(phone):
    talk = Talk(phone)
    assert talk.ask(do="open", tids=OWN, deadline_ms=2 * PERIOD_MS, period_ms=PERIOD_MS)["begins"]
    for _ in range(20):
        khz = talk.ask(do="begin", remaining_ms=60.0)["freq_khz"]
        slowness = next(r.latency_ms for r in TABLE.rows if r.setting.freq_khz == khz) / 5.0
        answer = talk.ask(do="report", actual_ms=2.5 * slowness)
    assert "begins" not in answer
    assert talk.ask(do="begin", remaining_ms=60.0)["freq_khz"] == 400_000
    phone.now.s = phone.governor.change_s
    turns = iter([False, True])
    phone.server.serve(until=lambda: next(turns))  # wakes by itself
    assert phone.read("mid") != "400000" or phone.read("big") != "300000"
    assert "remaining_ms is" in talk.ask(do="begin", remaining_ms=1e9)["error"]
    refused = Talk(phone).ask(do="open", tids=OWN, deadline_ms=50, period_ms=5)
    assert "at most 4 times period_ms" in refused["error"]


@pytest.mark.parametrize("phone", [without_tables], indirect=True)
def test_the_client_reports_begins_only_where_that_is_wanted(phone, tmp_path):
    over = threading.Event()
    thread = threading.Thread(target=phone.server.serve, args=(over.is_set,))
    thread.start()
    try:
        with Session(PERIOD_MS, tids=OWN, path=str(phone.server.path)) as session:
            for _ in range(3):
                with session.frame():
                    [inner] = phone.governor.sessions.values()
                    assert inner.change_s > 0
            assert session.problem == ""
    finally:
        over.set()
        thread.join()
    plain = toy(tmp_path / "plain")
    with plain.clocks, Server(plain.governor, tmp_path / "p.sock", now=plain.now) as server:
        talk = Talk(type("P", (), {"server": server}))
        assert "begins" not in talk.ask(do="open", tids=OWN, deadline_ms=PERIOD_MS)
        assert talk.ask(do="begin")["ok"]  # and no harm where it is reported all the same
