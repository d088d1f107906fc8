import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.choose.decision import DecisionTable
from runtime.choose.policy.estimate import Estimate
from runtime.choose.tuning.request import PolicyRequest
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.setting import Setting
from tests.runtime.govern.compiled.strategies import anything, caps, edges, tables
from tests.runtime.phone import Phone, make_bundle, make_records

SLOW = Estimate("litert-fp32", Setting("little", 600_000), 30.0, 30.0, 33.0, 100.0, 3.0)
FAST = Estimate("litert-fp32", Setting("big", 2_400_000), 5.0, 5.0, 6.0, 1500.0, 7.5)
DARK = Estimate("litert-fp32", Setting("mid", None), 8.0, 8.0, 9.0, None, None)
TABLE = DecisionTable((SLOW, FAST, DARK))


def by_trying_all(table, deadline_ms, slowdown, max_power_mw, max_freq_khz):
    """Decide as the documentation says, without care for speed."""
    allowed = [
        index
        for index, row in enumerate(table.rows)
        if (math.inf if row.power_mw is None else row.power_mw) <= max_power_mw
        and (
            row.setting.cluster not in max_freq_khz
            or (row.setting.freq_khz or 0) <= max_freq_khz[row.setting.cluster]
        )
    ]
    in_time = [i for i in allowed if slowdown > 0 and table.rows[i].latency_high_ms * slowdown <= deadline_ms]
    if in_time:
        return min(in_time)
    if allowed:
        return min(allowed, key=lambda i: (table.rows[i].latency_high_ms, i))
    return table.coolest


@given(data=st.data(), table=tables, max_freq_khz=caps)
def test_decisions_are_those_of_trying_every_row(data, table, max_freq_khz):
    deadline_ms, slowdown, max_power_mw = (data.draw(anything | edges(table)) for _ in range(3))
    slowdown = data.draw(st.sampled_from([1.0, slowdown]))
    decided = table.decide(deadline_ms, slowdown, max_power_mw=max_power_mw, max_freq_khz=max_freq_khz)
    assert decided == by_trying_all(table, deadline_ms, slowdown, max_power_mw, max_freq_khz)


def test_the_bound_itself_is_in_time():
    assert TABLE.decide(33.0) == 0
    assert TABLE.decide(math.nextafter(33.0, 0)) == 1


def test_a_slower_device_needs_a_dearer_row():
    assert [TABLE.decide(35.0, slowdown) for slowdown in (1.0, 1.07)] == [0, 1]


def test_the_fastest_serves_where_nothing_is_in_time():
    assert TABLE.decide(1.0) == 1
    assert TABLE.decide(math.nan) == 1
    assert [TABLE.decide(35.0, slowdown) for slowdown in (0.0, -1.0, math.nan, math.inf)] == [1] * 4


def test_caps_rule_rows_out():
    assert TABLE.decide(10.0, max_freq_khz={"big": 2_000_000}) == 2
    assert TABLE.decide(10.0, max_power_mw=200.0) == 0  # too slow, but all that may run: not the dark one
    assert TABLE.decide(10.0, max_power_mw=50.0) == TABLE.coolest == 0


def test_without_any_power_the_slowest_is_the_coolest():
    assert DecisionTable(tuple(replace(r, power_mw=None) for r in (FAST, SLOW, DARK))).coolest == 1


def test_a_table_of_a_policy_agrees_with_its_choice(tmp_path):
    bundle, target = make_bundle(tmp_path, variants=("litert-fp32", "executorch-fp32")), Phone()
    for fps in (5, 30, 100, 1000):
        _, policy = tune_bundle(bundle, target, fps, records=make_records(bundle, target))
        table = DecisionTable.from_policy(policy)
        row = table.rows[table.decide(policy.deadline_ms)]
        assert (row.variant, row.setting) == (policy.variant, policy.setting)
        energies = [row.energy_mj for row in table.rows]
        assert energies == sorted(energies)
    only = DecisionTable.from_policy(policy, "executorch-fp32")
    assert {row.variant for row in only.rows} == {"executorch-fp32"}
    with pytest.raises(ValueError, match="no variant 'fp64'; choose one of: "):
        DecisionTable.from_policy(policy, "fp64")
    with pytest.raises(ValueError, match="no row to decide among"):
        DecisionTable.from_policy(replace(policy, considered=()))


@pytest.mark.parametrize(
    "change",
    [{"latency_high_ms": math.nan}, {"latency_ms": 0.0}, {"power_mw": -1.0}, {"energy_mj": math.inf}],
)
def test_rows_that_cannot_be_are_refused(change):
    with pytest.raises(ValueError, match="cannot be"):
        DecisionTable((replace(SLOW, **change),))


def test_rows_follow_the_objective_and_keep_to_the_cap(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    records = make_records(bundle, target)
    _, policy = tune_bundle(
        bundle, target, PolicyRequest(objective="edp", max_power_mw=200.0), records=records
    )
    rows = DecisionTable.from_policy(policy).rows
    products = [row.energy_mj * row.latency_ms for row in rows]
    assert products == sorted(products)
    assert max(row.power_mw for row in rows) <= 200.0 < max(e.power_mw for e in policy.considered)
    assert rows[DecisionTable.from_policy(policy).decide(policy.deadline_ms)].setting == policy.setting
