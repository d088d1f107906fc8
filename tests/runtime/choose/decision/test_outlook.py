"""The row, or the two rows within a frame, that cost least and are in time."""

import math

import pytest

from runtime.choose.decision import DecisionTable, Slowdown
from runtime.choose.decision.outlook import ChangeCost, Outlook
from runtime.choose.policy.estimate import Estimate
from runtime.device.setting import Setting

FREE = ChangeCost(0.0, 0.0)


def row(cluster, freq_khz, latency_ms, power_mw, variant="fp32"):
    energy_mj = power_mw * latency_ms / 1e3
    setting = Setting(cluster, freq_khz)
    return Estimate(variant, setting, latency_ms, latency_ms, 1.5 * latency_ms, power_mw, energy_mj)


# Energies of 800, 1000, 1800 and 2000 uJ.
TABLE = DecisionTable(
    (
        row("little", 600_000, 40.0, 20.0),
        row("little", 1_000_000, 25.0, 40.0),
        row("big", 800_000, 15.0, 120.0),
        row("big", 2_000_000, 8.0, 250.0),
    ),
    over_mw=0.0,
)


def outlook(table=TABLE, change=FREE, frames=(1.0,) * 200, allowed=lambda row: True):
    slowdown = Slowdown(len(table.clusters))
    for ratio in frames:
        slowdown.learn([(0, ratio)])
    return Outlook(table, slowdown, allowed, change)


def test_before_frames_were_seen_the_tables_own_bounds_hold():
    first = outlook(frames=())
    assert first.best(60.0, 0.01, mixes=True).first == 0
    assert first.best(59.0, 0.01, mixes=True).first == 1
    assert first.best(1.0, 0.01, mixes=True) == first.single(1.0)
    assert (first.single(1.0).first, first.single(1.0).cost) == (3, math.inf)


def test_two_rows_share_a_frame_that_one_is_too_slow_and_the_next_too_fast_for():
    plan = outlook().best(30.0, 0.01, mixes=True)
    assert (plan.first, plan.then) == (0, 1)
    assert plan.until_ms / 40.0 + (30.0 - plan.until_ms) / 25.0 == pytest.approx(1.0, abs=0.02)
    assert 800.0 < plan.cost < 1000.0
    assert outlook().best(30.0, 0.01, mixes=False).first == 1


def test_a_frame_in_two_parts_ends_in_time_whatever_its_work_within_the_bound():
    view = outlook(frames=[1.0, 1.05, 0.95, 1.0] * 60)
    upper = view.bound_ms[0] / view.expected_ms[0]
    for deadline_ms in (9.5, 12.0, 16.0, 20.0, 28.0, 39.0):
        plan = view.best(deadline_ms, 0.01, mixes=True)
        done = min(plan.until_ms / view.expected_ms[plan.first], upper)
        took_ms = done * view.expected_ms[plan.first] + (upper - done) * view.expected_ms[plan.then]
        assert took_ms <= deadline_ms * (1 + 1e-9)


def test_what_changes_cost_decides_whether_a_frame_is_shared():
    free, dear = outlook(), outlook(change=ChangeCost(0.0, 3.0))
    shared = free.best(20.0, 0.01, mixes=True)
    assert TABLE.cluster_of[shared.first] != TABLE.cluster_of[shared.then]
    one = dear.best(20.0, 0.01, mixes=True)
    assert one.first == one.then
    assert free.best(20.0, 0.5, mixes=True).first == free.single(20.0).first  # half is not saved


def test_rows_that_are_not_allowed_share_no_frame():
    view = outlook(allowed=lambda row: row != 1)
    plan = view.best(30.0, 0.01, mixes=True)
    assert 1 not in (plan.first, plan.then)
    kept = outlook().best(30.0, 0.01, mixes=True)
    assert view.again(kept, 30.0).cost == math.inf
    assert outlook().again(kept, 30.0) == kept
    assert outlook().again(kept, 20.0).cost == math.inf


def test_only_energy_is_shared_and_only_by_rows_of_one_variant():
    by_order = DecisionTable(TABLE.rows)
    plan = outlook(by_order).best(30.0, 0.01, mixes=True)
    assert (plan.first, plan.then, plan.cost) == (1, 1, 1.0)
    other = DecisionTable((TABLE.rows[0], row("little", 1_000_000, 25.0, 40.0, "int8")), over_mw=0.0)
    plan = outlook(other).best(30.0, 0.01, mixes=True)
    assert plan.first == plan.then == 1


def test_rows_above_a_mixture_of_others_share_none():
    dominated = DecisionTable((*TABLE.rows, row("big", 1_000_000, 11.0, 240.0)), over_mw=0.0)
    assert dominated.mixable == (0, 0, 0, 0, None)


def test_a_cluster_that_is_slower_than_its_table_costs_more():
    slowdown = Slowdown(2)
    for _ in range(60):
        slowdown.learn([(0, 1.0)])
    for _ in range(30):
        slowdown.learn([(1, 2.0)])
    view = Outlook(TABLE, slowdown, lambda row: True, FREE)
    assert view.expected_ms[2] == pytest.approx(30.0, rel=0.02)
    assert view.single(29.0).first == 1
