"""The search for the cheapest setting that is fast enough."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.goal import Goal
from runtime.choose.tuning.choice import choose
from runtime.choose.tuning.reason import explain
from runtime.device.setting import Setting


def option(cluster, freq_khz, threads=1, variant="v"):
    return Option(variant, Setting(cluster, freq_khz, threads))


class Table:
    """A latency model that answers from a table and counts its calls.

    Values are (latency_ms, energy_mj); the interval reaches 10 % to both sides.
    """

    def __init__(self, values):
        self.values = values
        self.calls = 0

    def estimate(self, asked):
        latency_ms, energy_mj = self.values[asked]
        return Estimate(
            asked.variant, asked.setting, latency_ms, latency_ms * 0.9, latency_ms * 1.1, None, energy_mj
        )

    def __call__(self, options):
        self.calls += 1
        return [self.estimate(o) for o in options]


LITTLE_AND_BIG = {
    option("little", 500): (60.0, 3.0),
    option("little", 1000): (30.0, 4.0),
    option("big", 1000): (20.0, 5.0),
    option("big", 2000): (10.0, 9.0),
}


def goal_at(deadline_ms, objective="awake", **limits):
    return Goal(objective, fps_target=min(1000 / deadline_ms, 1000), deadline_ms=deadline_ms, **limits)


def chosen_at(deadline_ms, values=LITTLE_AND_BIG):
    return choose(values, Table(values), goal_at(deadline_ms))


def reason_at(deadline_ms, values=LITTLE_AND_BIG):
    return explain(chosen_at(deadline_ms, values), goal_at(deadline_ms))


def test_cheapest_that_meets_the_deadline_wins():
    assert chosen_at(100).chosen.setting == Setting("little", 500)
    assert chosen_at(40).chosen.setting == Setting("little", 1000)
    assert chosen_at(25).chosen.setting == Setting("big", 1000)


def test_upper_bound_decides_not_the_expected_latency():
    # 30 ms are expected, 33 ms may happen.
    assert chosen_at(32.9).chosen.setting == Setting("big", 1000)
    assert chosen_at(33.1).chosen.setting == Setting("little", 1000)


def test_nothing_meets_the_deadline_takes_the_fastest_and_says_so():
    choice = chosen_at(5)
    assert choice.chosen.setting == Setting("big", 2000)
    assert not choice.meets_goal
    assert choice.winners == ()
    assert "No setting meets 5 ms" in reason_at(5)
    assert "big @ 2 MHz x1 is the fastest: 10 ms, at most 11 ms" in reason_at(5)


def test_faster_clock_that_costs_less_is_found():
    values = {option("big", 1): (30.0, 5.0), option("big", 2): (20.0, 4.0), option("big", 3): (10.0, 6.0)}
    assert chosen_at(50, values).chosen.setting == Setting("big", 2)


def test_tie_goes_to_the_slower_clock():
    values = {option("big", 1): (30.0, 5.0), option("big", 2): (20.0, 5.0)}
    assert chosen_at(50, values).chosen.setting == Setting("big", 1)


def test_reason_names_the_others_and_those_too_slow():
    reason = reason_at(25)
    assert reason == (
        "big @ 1 MHz x1 meets 25 ms (20 ms, at most 22 ms) for the least energy: 5 mJ a frame. "
        "Too slow even at their best: little @ 1 MHz x1 may take 33 ms."
    )
    assert "The next cheapest: big @ 1 MHz x1 at 5 mJ" in reason_at(40)


def test_without_energy_the_least_core_time_wins_and_the_reason_says_so():
    values = {
        option("cpu", None, threads=1): (30.0, None),
        option("cpu", None, threads=2): (18.0, None),  # 36 core-ms
    }
    choice = chosen_at(40, values)
    assert choice.chosen.setting.threads == 1
    assert "for the least core time, as energy is not known here: 30 core-ms a frame" in reason_at(40, values)


def test_known_energy_goes_before_unknown():
    values = {option("big", 1): (10.0, None), option("little", 1): (20.0, 7.0)}
    assert chosen_at(50, values).chosen.setting.cluster == "little"


def test_variants_are_compared_and_named():
    values = {option("big", 1, variant="slow"): (20.0, 5.0), option("big", 1, variant="quick"): (15.0, 4.0)}
    choice = chosen_at(50, values)
    assert choice.chosen.variant == "quick"
    assert "quick on big" in reason_at(50, values)


def test_model_that_errs_about_a_higher_clock_accepts_nothing_that_misses():
    values = {option("big", 1): (10.0, 9.0), option("big", 2): (40.0, 1.0), option("big", 3): (10.0, 8.0)}
    choice = chosen_at(20, values)
    assert choice.chosen.latency_high_ms <= 20


def test_no_option_is_refused():
    with pytest.raises(ValueError, match="no setting to choose from"):
        choose([], Table({}), goal_at(10))


ladders = st.lists(
    st.tuples(st.floats(1, 100), st.one_of(st.none(), st.integers(1, 20).map(float))), min_size=1, max_size=33
)


@given(st.lists(ladders, min_size=1, max_size=3), st.floats(1, 120))
def test_choice_is_what_trying_everything_would_choose(clusters, deadline_ms):
    values = {}
    for number, ladder in enumerate(clusters):
        falling = sorted((latency for latency, _ in ladder), reverse=True)
        for clock, (latency_ms, (_, energy_mj)) in enumerate(zip(falling, ladder, strict=True), start=1):
            values[option(f"c{number}", clock)] = (latency_ms, energy_mj)
    table = Table(values)
    choice = choose(values, table, goal_at(deadline_ms))

    everything = [table.estimate(o) for o in values]
    feasible = [e for e in everything if e.latency_high_ms <= deadline_ms]
    assert choice.meets_goal == bool(feasible)
    if feasible:
        known = [e for e in feasible if e.energy_mj is not None]
        costs = [e.energy_mj for e in known] or [e.core_ms for e in feasible]
        equal = [e for e, cost in zip(known or feasible, costs, strict=True) if cost == min(costs)]
        assert choice.chosen in equal
        assert choice.chosen.setting.freq_khz == min(e.setting.freq_khz for e in equal)
    else:
        assert choice.chosen.latency_ms == min(e.latency_ms for e in everything)
    assert choice.calls == table.calls <= sum(math.ceil(math.log2(len(c))) + 1 for c in clusters)
