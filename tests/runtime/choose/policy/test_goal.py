"""Objectives and limits: each cost by hand, and the search against trying everything."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.choose.policy.battery_life import battery_life
from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.goal import OBJECTIVES, Goal
from runtime.choose.tuning.choice import choose
from runtime.choose.tuning.reason import explain, refusal
from runtime.choose.tuning.request import PolicyRequest, goal_of
from runtime.device.setting import Setting

LIMITS = {"race-to-sleep": {"base_mw": 300.0, "sleep_mw": 20.0}, "budget": {"energy_budget_mj": 5.0}}


def estimate(latency_ms, power_mw, khz=1, cluster="big", threads=1, high=1.0):
    energy_mj = None if power_mw is None else power_mw * latency_ms / 1000
    setting = Setting(cluster, khz, threads)
    return Estimate("v", setting, latency_ms, latency_ms, high * latency_ms, power_mw, energy_mj)


def goal(objective="awake", deadline_ms=50.0, fps=20.0, **limits):
    return Goal(objective, fps, deadline_ms, **(LIMITS.get(objective, {}) | limits))


def chosen(estimates, wanted):
    """Return what the search makes of ``estimates``."""
    table = {Option(e.variant, e.setting): e for e in estimates}
    return choose(table, lambda options: [table[o] for o in options], wanted)


SLOW, MIDDLE, FAST = estimate(40.0, 100.0, 1), estimate(20.0, 250.0, 2), estimate(10.0, 700.0, 3)


@pytest.mark.parametrize(
    ("objective", "costs", "best"),
    [
        ("awake", (4.0, 5.0, 7.0), SLOW),  # mW x ms / 1000
        # (P + 300) t + 20 (50 - t): 400 x 40 + 20 x 10, 550 x 20 + 20 x 30, 1000 x 10 + 20 x 40
        ("race-to-sleep", (16.2, 11.6, 10.8), FAST),
        ("edp", (160.0, 100.0, 70.0), FAST),
        ("budget", (40.0, 20.0, 10.0), MIDDLE),  # 7 mJ are more than 5
        ("latency", (40.0, 20.0, 10.0), FAST),
        ("core-time", (40.0, 20.0, 10.0), FAST),
    ],
)
def test_each_objective_by_hand(objective, costs, best):
    wanted = goal(objective)
    assert [wanted.cost(e) for e in (SLOW, MIDDLE, FAST)] == pytest.approx(costs)
    choice = chosen([SLOW, MIDDLE, FAST], wanted)
    assert choice.meets_goal
    assert choice.chosen == best


def test_race_to_sleep_is_no_faster_where_the_idle_device_takes_nothing():
    assert chosen([SLOW, MIDDLE, FAST], goal("race-to-sleep", base_mw=0.0, sleep_mw=0.0)).chosen == SLOW


def test_thermal_cap_refuses_faster_clocks_and_says_so():
    wanted = goal(deadline_ms=25.0, max_power_mw=300.0)
    choice = chosen([SLOW, MIDDLE, FAST], wanted)
    assert choice.chosen == MIDDLE
    assert "meets 25 ms under 300 mW" in explain(choice, wanted)
    assert refusal(FAST, wanted) == "takes too much power"
    assert refusal(SLOW, wanted) == "too slow"


def test_nothing_fast_enough_under_the_cap_takes_the_fastest_that_keeps_to_it():
    wanted = goal(deadline_ms=15.0, max_power_mw=300.0)
    choice = chosen([SLOW, MIDDLE, FAST], wanted)
    assert (choice.chosen, choice.meets_goal) == (MIDDLE, False)
    assert "No setting meets 15 ms within 300 mW. big @ 0.002 MHz x1 is the fastest" in explain(
        choice, wanted
    )


def test_nothing_within_the_limits_takes_what_comes_nearest():
    wanted = goal("budget", energy_budget_mj=2.0)
    choice = chosen([SLOW, MIDDLE, FAST], wanted)
    assert (choice.chosen, choice.meets_goal) == (SLOW, False)
    reason = explain(choice, wanted)
    assert "No setting keeps within 2 mJ a frame" in reason
    assert "comes nearest: 4 mJ a frame at 100 mW" in reason


def test_unknown_power_breaks_a_cap_and_ranks_last():
    dark = estimate(5.0, None, cluster="dark")
    assert chosen([SLOW, dark], goal()).chosen == SLOW
    assert chosen([SLOW, dark], goal(deadline_ms=10.0)).chosen == dark
    choice = chosen([SLOW, dark], goal(deadline_ms=10.0, max_power_mw=9000.0))
    assert (choice.chosen, choice.meets_goal) == (SLOW, False)


ladders = st.lists(
    st.tuples(st.floats(1, 100), st.one_of(st.none(), st.integers(50, 900).map(float))),
    min_size=1,
    max_size=20,
)


@given(
    st.lists(ladders, min_size=1, max_size=3),
    st.sampled_from(sorted(OBJECTIVES)),
    st.floats(1, 120),
    st.one_of(st.none(), st.floats(40, 1000)),
    st.floats(0.2, 60),
)
def test_every_objective_finds_what_trying_everything_would(
    clusters, objective, deadline_ms, cap_mw, budget_mj
):
    estimates = []
    for number, ladder in enumerate(clusters):
        falling = sorted((latency for latency, _ in ladder), reverse=True)
        for clock, (latency_ms, (_, power_mw)) in enumerate(zip(falling, ladder, strict=True), start=1):
            estimates.append(estimate(latency_ms, power_mw, clock, f"c{number}", high=1.1))
    limits = {"energy_budget_mj": budget_mj} if objective == "budget" else {}
    wanted = goal(objective, deadline_ms, fps=1000 / 130, max_power_mw=cap_mw, **limits)

    def cost(e):
        """The objective once more, from its definition."""
        if objective in ("budget", "latency"):
            return (False, e.latency_high_ms)
        if objective == "core-time" or e.power_mw is None:
            return (objective != "core-time", e.latency_ms)
        if objective == "race-to-sleep":
            return (False, ((e.power_mw + 300) * e.latency_ms + 20 * (130 - e.latency_ms)) / 1000)
        energy_mj = e.power_mw * e.latency_ms / 1000
        return (False, energy_mj * e.latency_ms if objective == "edp" else energy_mj)

    def is_allowed(e):
        cool = cap_mw is None or (e.power_mw is not None and e.power_mw <= cap_mw)
        return cool and (objective != "budget" or (e.energy_mj is not None and e.energy_mj <= budget_mj))

    allowed = [e for e in estimates if is_allowed(e)]
    met = [e for e in allowed if e.latency_high_ms <= deadline_ms]
    choice = chosen(estimates, wanted)
    assert choice.meets_goal == bool(met)
    if met:
        unknown, least = min(cost(e) for e in met)
        assert choice.chosen in met
        assert cost(choice.chosen)[0] == unknown
        assert cost(choice.chosen)[1] == pytest.approx(least)
    elif allowed:
        assert choice.chosen in allowed
        assert choice.chosen.latency_high_ms == min(e.latency_high_ms for e in allowed)
    assert explain(choice, wanted).endswith(".")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"objective": "sleep"}, "allowed: awake, race-to-sleep"),
        ({"objective": "race-to-sleep", "base_mw": None}, "give it with --base-mw"),
        ({"objective": "budget", "energy_budget_mj": None}, "give --energy-mj"),
        ({"energy_budget_mj": 3.0}, "give --energy-mj"),
        ({"max_power_mw": 0.0}, "max_power_mw is 0.0; it must be above 0"),
        ({"deadline_ms": float("nan")}, "deadline_ms is nan"),
        ({"quantile": 1.0}, "allowed: 0.5 to below 1"),
        ({"base_mw": 5.0, "sleep_mw": 6.0}, "no more than awake"),
        ({"fps": 0.0}, "fps above 0"),
    ],
)
def test_goals_that_cannot_be_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        goal(**fields)


# --- requests ------------------------------------------------------------------------------------

PHONE = SimpleNamespace(name="local", energy_note="no meter on this machine")


def test_a_request_fills_in_what_was_not_said():
    assert goal_of(PolicyRequest(), PHONE, [SLOW], None).objective == "awake"
    assert goal_of(PolicyRequest(), PHONE, [SLOW], None).deadline_ms == pytest.approx(1000 / 30)
    assert goal_of(PolicyRequest(), PHONE, [estimate(5.0, None)], None).objective == "core-time"
    assert goal_of(PolicyRequest(energy_mj=4.0), PHONE, [SLOW], None).objective == "budget"
    assert goal_of(PolicyRequest(mean_power_mw=60.0), PHONE, [SLOW], None).energy_budget_mj == pytest.approx(
        2.0
    )


def test_latency_bound_shortens_the_deadline_and_a_long_one_slows_the_pace():
    bounded = goal_of(PolicyRequest(fps=30, latency_ms=20.0, quantile=0.95), PHONE, [SLOW], None)
    assert (bounded.deadline_ms, bounded.fps_target, bounded.quantile) == (20.0, 30, 0.95)
    patient = goal_of(PolicyRequest(latency_ms=200.0), PHONE, [SLOW], None)
    assert (patient.deadline_ms, patient.fps_target) == (200.0, 5.0)
    assert goal_of(PolicyRequest(fps=30, latency_ms=200.0), PHONE, [SLOW], None).deadline_ms == pytest.approx(
        1000 / 30
    )


@pytest.mark.parametrize(
    "asked",
    [
        PolicyRequest(objective="awake"),
        PolicyRequest(objective="edp"),
        PolicyRequest(energy_mj=1.0),
        PolicyRequest(max_power_mw=500.0),
    ],
)
def test_energy_asked_where_no_power_is_known_is_refused_with_what_is_left(asked):
    with pytest.raises(
        ValueError, match=r"none is known on local \(no meter.*--objective latency.*core-time"
    ):
        goal_of(asked, PHONE, [estimate(5.0, None)], None)


def test_two_budgets_are_refused():
    with pytest.raises(ValueError, match="give one of them"):
        goal_of(PolicyRequest(energy_mj=1.0, mean_power_mw=30.0), PHONE, [SLOW], None)


# --- battery -----------------------------------------------------------------------------------


def test_battery_hours_by_hand():
    # 20 FPS of 4 mJ are 80 mW; with the idle device 380 mW: 3800 mWh last 10 h.
    life = battery_life(SLOW, goal(base_mw=300.0), 3800.0, "as given")
    assert (life.mean_power_mw, life.hours, life.is_whole_device) == (
        pytest.approx(380),
        pytest.approx(10),
        True,
    )
    alone = battery_life(SLOW, goal(), 3800.0, "as given")
    assert (alone.hours, alone.is_whole_device) == (pytest.approx(47.5), False)
    # Racing: 16.2 mJ in 50 ms are 324 mW.
    assert battery_life(SLOW, goal("race-to-sleep"), 3240.0, "").hours == pytest.approx(10)


def test_setting_too_slow_for_the_pace_runs_without_a_pause():
    assert battery_life(SLOW, goal(fps=100.0), 100.0, "").mean_power_mw == pytest.approx(100.0)


def test_battery_needs_a_capacity_and_a_power():
    assert battery_life(SLOW, goal(), None, "") is None
    assert battery_life(estimate(5.0, None), goal("latency"), 4000.0, "") is None
    with pytest.raises(ValueError, match="capacity is -1 mWh"):
        battery_life(SLOW, goal(), -1.0, "")
