"""What a governor does about a frame: all of it without a clock, a file or a socket."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.choose.decision import DecisionTable, Hysteresis, SlowdownRule
from runtime.choose.decision.controller import Controller
from runtime.choose.decision.outlook import ChangeCost
from runtime.choose.decision.trust import Trust
from tests.runtime.govern.governor.toy import TABLE, row


def play(controller, latencies_ms, now_s=0.0):
    """Run frames, each at what was decided for it; return the rows."""
    rows = []
    for latency_ms in latencies_ms:
        decision = controller.decide(now_s)
        rows.append(decision.row)
        controller.observe(latency_ms, decision.row, now_s)
    return rows


def test_it_begins_at_the_cheapest_row_that_is_in_time():
    assert Controller(TABLE, 50.0).decide(0.0).row == 0
    assert Controller(TABLE, 33.3).decide(0.0).row == 1
    decision = Controller(TABLE, 12.0).decide(0.0)
    assert (decision.row, decision.meets_deadline) == (2, True)
    assert decision.reason == "big @ 1106 MHz x1 is the cheapest that meets 12 ms (11 ms at most)"


def test_nothing_in_time_takes_the_fastest_and_says_so():
    decision = Controller(TABLE, 2.0).decide(0.0)
    assert (decision.row, decision.meets_deadline) == (3, False)
    assert decision.reason == "nothing meets 2 ms: big @ 2850 MHz x1 is the fastest (5.5 ms at most)"


def test_slow_frames_speed_up_at_once_and_calm_ones_slow_down_later():
    controller = Controller(TABLE, 33.3, hysteresis=Hysteresis(frames=4))
    assert play(controller, [20.0] * 20) == [1] * 20
    controller.observe(33.0, 1, 0.0)
    controller.observe(33.0, 1, 0.0)  # in time, and the second one that is so slow
    assert "up to big" in (up := controller.decide(0.0)).reason
    assert up.row == 2
    rows = []
    for _ in range(30):  # of the table's work again
        rows.append(controller.decide(0.0).row)
        controller.observe(TABLE.rows[rows[-1]].latency_ms, rows[-1], 0.0)
    assert rows[0] == 2
    assert rows[-1] == 1
    assert rows.index(1) >= 4


def test_one_odd_frame_changes_the_next_one_alone():
    controller = Controller(TABLE, 33.3)
    rows = play(controller, [20.0, 20.0, 20.0, 20.0, 50.0, 10.0, *[20.0] * 4])
    assert rows == [1, 1, 1, 1, 1, 2, 1, 1, 1, 1]


def test_a_device_twice_as_slow_is_learnt_without_losing_trust():
    controller = Controller(TABLE, 33.3)
    for _ in range(200):
        decision = controller.decide(0.0)
        controller.observe(2 * TABLE.rows[decision.row].latency_ms, decision.row, 0.0)
    assert controller.trust.backed_off == 0
    assert controller.decide(0.0).row == 2
    assert controller.slowdown.of_cluster == pytest.approx([2.0, 2.0], rel=0.02)


def test_a_cluster_whose_table_is_wrong_is_not_tried_every_second():
    """Frames on mid take 1.5 times the table's latency, those on big what it says."""
    controller, late = Controller(TABLE, 28.0), 0
    for number in range(900):
        row = controller.decide(number / 30).row
        latency_ms = TABLE.rows[row].latency_ms * (1.5 if TABLE.rows[row].setting.cluster == "mid" else 1.0)
        late += latency_ms > 28.0
        controller.observe(latency_ms, row, number / 30)
    assert late <= 9


def test_a_modelled_bound_is_left_for_what_frames_show():
    wide = DecisionTable(tuple(replace(row, latency_high_ms=1.87 * row.latency_ms) for row in TABLE.rows))
    controller = Controller(wide, 33.3)
    rows = play(controller, [10.0, 10.0, 10.0] + [20.0] * 27)
    assert rows[0] == 2
    assert rows[-1] == 1


def test_frames_far_above_their_bounds_leave_the_clock_to_the_kernel_for_a_calm_time():
    controller = Controller(TABLE, 33.3, trust=Trust(calm_s=5.0))
    for ratio in (20, 30, 40, 60):
        decision = controller.decide(1.0)
        controller.observe(ratio * TABLE.rows[decision.row].latency_high_ms, decision.row, 1.0)
    decision = controller.decide(1.0)
    assert decision.row is None
    assert "left to the kernel" in decision.reason
    assert controller.decide(5.9).reason == ""
    assert controller.decide(5.9).row is None
    back = controller.decide(6.1)
    assert back.row is not None
    assert back.reason.startswith(("back from the kernel", "nothing meets"))


def test_the_calm_time_doubles_while_it_is_in_vain_and_is_forgotten_after_long_peace():
    trust = Trust(calm_s=5.0, longest_s=20.0)
    trust.distrust(0.0)
    trust.distrust(5.0)
    assert (trust.is_trusted(14.9), trust.is_trusted(15.1)) == (False, True)
    trust.observe(1.0, 2.0, now_s=40.0)
    trust.distrust(40.0)
    assert trust.is_trusted(45.1)


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_as_many_outside_as_promised_cost_no_trust(outside):
    """Whatever the order, one in thirty frames outside is far less than one in ten promised."""
    trust = Trust(alpha=0.1, window=30)
    since = 30
    for is_outside in outside:
        since += 1
        is_outside &= since >= 30
        since = 0 if is_outside else since
        trust.observe(100.0 if is_outside else 1.0, 10.0, now_s=0.0)
    assert trust.backed_off == 0


def test_late_frames_widen_the_bound_until_the_share_is_as_allowed():
    """Every eighth frame takes 1.6 times as long: more often than the table's rows at their bounds allow."""
    controller = Controller(TABLE, 33.3, rule=SlowdownRule(late_share=0.02))
    late = 0
    for number in range(2000):
        decision = controller.decide(number / 30)
        factor = 1.6 if number % 8 == 0 else 1.0
        latency_ms = factor * TABLE.rows[decision.row].latency_ms
        controller.observe(latency_ms, decision.row, number / 30)
        late += latency_ms > 33.3
    assert late / 2000 <= 0.03


def test_a_late_frame_is_made_up_for_without_hysteresis_and_on_its_cluster_if_that_is_enough():
    controller = Controller(TABLE, 26.0)
    play(controller, [20.0] * 20)
    assert controller.decide(0.0).row == 1
    controller.observe(27.0, 1, 0.0)
    assert controller.decide(0.0).row == 1  # 20 ms are still within what it leaves
    controller.observe(20.0, 1, 0.0, is_late=True)  # it began late
    assert controller.decide(0.0).row == 2
    controller.observe(10.0, 2, 0.0)
    assert controller.decide(0.0).row == 1
    steps = DecisionTable((*TABLE.rows[:2], row("mid", 1_000_000, 15.0, 130.0), *TABLE.rows[2:]))
    near = Controller(steps, 26.0)
    play(near, [20.0] * 20)
    near.observe(20.0, 1, 0.0, is_late=True)
    assert steps.rows[near.decide(0.0).row].setting.cluster == "mid"


def test_frames_that_begin_late_and_are_late_for_it_widen_the_bound():
    """Each is short enough itself, but the program wakes up late: 10 ms here, once in ten frames."""
    controller, late = Controller(TABLE, 48.0, rule=SlowdownRule(late_share=0.02)), 0
    for number in range(2000):
        row = controller.decide(number / 20).row
        latency_ms = TABLE.rows[row].latency_ms
        is_late = latency_ms + (10.0 if number % 10 == 0 else 0.0) > 48.0
        controller.observe(latency_ms, row, number / 20, is_late)
        late += is_late
    assert late / 2000 <= 0.03


def test_frames_that_are_begun_late_run_faster_and_only_they():
    controller = begun([20.0] * 30, TABLE, 26.0)
    assert controller.begin(26.0, 0.0).row == 1
    assert controller.begin(14.0, 0.0).row == 2
    controller.learn([(2, 10.0)], False, 0.0)
    assert controller.decide(0.0).row == 1


def begun(works_ms, table, deadline_ms):
    """Return a controller after frames that were begun, of so much work at row 1 of ``table``."""
    controller = Controller(table, deadline_ms, change_cost=lambda: ChangeCost(0.1, 0.1))
    for work_ms in works_ms:
        controller.decide(0.0)
        rows, ends_ms = [controller.begin(deadline_ms, 0.0).row], [controller.next_ms]
        if ends_ms[0] < math.inf:
            rows.append(controller.change().row)
        left, parts = work_ms / table.rows[1].latency_ms, []
        for index, end_ms in zip(rows, [*ends_ms, math.inf], strict=False):
            ms = min(left * table.rows[index].latency_ms, end_ms)
            left -= ms / table.rows[index].latency_ms
            parts.append((index, ms))
        controller.learn([part for part in parts if part[1] > 0], False, 0.0)
    return controller


def test_two_rows_share_a_frame_of_a_program_that_says_when_it_begins():
    table = DecisionTable(TABLE.rows, over_mw=0.0)
    controller = begun([20.0] * 40, table, 30.0)
    assert controller.changes_within_frames
    assert "of a frame, then mid @ 799 MHz x1, is the cheapest in time" in said(controller, table)
    first = controller.begin(30.0, 0.0).row
    assert (first, controller.change().row) == (0, 1)
    assert controller.next_ms == math.inf
    controller.learn([(0, 20.0), (1, 10.0)], False, 0.0)
    controller.begin(20.5, 0.0)
    assert controller.next_ms < 5.0  # hardly anything is left for the slower one


def said(controller, table):
    """Return what a controller that knows as much says of its first choice."""
    controller.retarget(controller.deadline_ms)
    return controller.decide(0.0).reason


def test_without_begins_one_row_serves_a_frame():
    table = DecisionTable(TABLE.rows, over_mw=0.0)
    controller = begun([20.0] * 40, table, 30.0)
    assert controller.decide(0.0).row == 0
    controller.learn([(0, 20.0)], False, 0.0)
    for _ in range(2):  # frames that were not begun
        controller.observe(20.0, 1, 0.0)
        assert controller.decide(0.0).row == 1
    assert not Controller(TABLE, 30.0).changes_within_frames


def test_a_cap_is_kept_and_told():
    controller = Controller(TABLE, 12.0)
    controller.decide(0.0)
    controller.caps = {"big": 1_000_000}
    decision = controller.decide(0.0)
    assert TABLE.rows[decision.row].setting.cluster == "mid"
    assert not decision.meets_deadline
    assert decision.reason.startswith("nothing that the cap allows meets 12 ms")
    controller.caps = {}
    assert controller.decide(0.0).row == 2


def test_another_target_is_followed_at_once():
    controller = Controller(TABLE, 12.0)
    controller.decide(0.0)
    controller.retarget(50.0)
    assert controller.decide(0.0).row == 0
    with pytest.raises(ValueError, match="deadline is 0 ms"):
        controller.retarget(0)


def test_headroom_is_what_the_fastest_row_leaves():
    controller = Controller(TABLE, 11.0)
    assert controller.headroom() == pytest.approx(0.5)
    controller.retarget(5.0)
    assert controller.headroom() == pytest.approx(-0.1)


def test_frames_at_another_clock_teach_nothing():
    controller = Controller(TABLE, 33.3)
    controller.decide(0.0)
    controller.observe(500.0, None, 0.0)
    assert (controller.slowdown.is_known, controller.trust.seen) == (False, 0)


@pytest.mark.parametrize("latency_ms", [0.0, -1.0, math.nan, math.inf])
def test_latencies_that_cannot_be_are_refused(latency_ms):
    with pytest.raises(ValueError, match="must be a positive number"):
        Controller(TABLE, 33.3).observe(latency_ms, 0, 0.0)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.floats(1e-3, 1e5), st.booleans(), st.floats(0, 100)), max_size=80),
    st.floats(0.1, 1e4),
)
def test_whatever_frames_do_there_is_a_row_or_the_kernel(frames, deadline_ms):
    controller, now_s = Controller(TABLE, deadline_ms), 0.0
    for latency_ms, is_late, pause_s in frames:
        now_s += pause_s
        row = controller.decide(now_s).row
        assert row is None or 0 <= row < len(TABLE.rows)
        controller.observe(latency_ms, row, now_s, is_late)
        assert all(0.1 <= factor <= 8.0 for factor in controller.slowdown.of_cluster)
        assert 1.0 <= controller.slowdown.upper <= 2.0
