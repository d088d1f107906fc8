"""Why a setting was chosen, in words with numbers."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.choose.policy.estimate import Estimate
from runtime.choose.policy.goal import Goal
from runtime.choose.tuning.choice import Choice

_NAMED = 2  # alternatives that a reason names: with more the sentence is not read to its end


def explain(choice: Choice, goal: Goal) -> str:
    """Return what the chosen setting achieves, what comes next, and what was too slow or cost too much."""
    chosen = choice.chosen
    if not choice.meets_goal:
        return _explain_miss(choice, goal)
    limit = "" if goal.max_power_mw is None else f" under {goal.max_power_mw:.3g} mW"
    words = [
        f"{_name(chosen, choice.winners)} meets {goal.latency_limit_ms:.3g} ms{limit} "
        f"({_bound(chosen, goal)}) {_merit(chosen, goal)}"
    ]
    others = [f"{_name(e, choice.winners)} at {price(e, goal)}" for e in choice.winners[1:]]
    if others:
        words.append(f"The next {'fastest' if _is_fastest(goal) else 'cheapest'}: {_first_of(others)}")
    slow = [e for e in choice.losers if goal.excess(e) == 0.0]
    if slow:
        named = [f"{_name(e, choice.losers)} may take {e.latency_high_ms:.3g} ms" for e in slow]
        words.append(f"Too slow even at their best: {_first_of(named)}")
    refused = [f"{_name(e, choice.losers)} {refusal(e, goal)}" for e in choice.losers if e not in slow]
    if refused:
        words.append(f"Left out: {_first_of(refused)}")
    return ". ".join(words) + "."


def refusal(estimate: Estimate, goal: Goal) -> str:
    """Return why ``estimate`` does not meet the goal, in few words; empty where it does."""
    if goal.max_power_mw is not None and not (estimate.power_mw or float("inf")) <= goal.max_power_mw:
        return "takes too much power" if estimate.power_mw is not None else "takes an unknown power"
    if goal.excess(estimate):
        return "takes too much energy" if estimate.energy_mj is not None else "takes an unknown energy"
    return "" if goal.is_met(estimate) else "too slow"


def price(estimate: Estimate, goal: Goal) -> str:
    """Return what ``estimate`` costs by the goal, with its unit."""
    cost = goal.cost(estimate)
    if cost is None or goal.objective == "core-time":
        return f"{estimate.core_ms:.3g} core-ms"
    if _is_fastest(goal):
        return f"{cost:.3g} ms"
    return f"{cost:.3g} {'mJ ms' if goal.objective == 'edp' else 'mJ'}"


def _explain_miss(choice: Choice, goal: Goal) -> str:
    chosen = choice.chosen
    name = _name(chosen, choice.losers)
    if goal.excess(chosen) == 0.0:
        limit = f" within {_limits(goal)}" if goal.is_capped else ""
        return (
            f"No setting meets {goal.latency_limit_ms:.3g} ms{limit}. {name} is the fastest: "
            f"{_bound(chosen, goal)}. Ask for fewer FPS or export a lighter model."
        )
    takes = "an unknown power"
    if chosen.power_mw is not None and chosen.energy_mj is not None:
        takes = f"{chosen.energy_mj:.3g} mJ a frame at {chosen.power_mw:.3g} mW"
    return (
        f"No setting keeps within {_limits(goal)}. {name} comes nearest: {takes}, {_bound(chosen, goal)}. "
        "Allow more or export a lighter model."
    )


def _limits(goal: Goal) -> str:
    limits = []
    if goal.max_power_mw is not None:
        limits.append(f"{goal.max_power_mw:.3g} mW")
    if goal.energy_budget_mj is not None:
        limits.append(f"{goal.energy_budget_mj:.3g} mJ a frame")
    return " and ".join(limits)


def _bound(estimate: Estimate, goal: Goal) -> str:
    sure = "" if goal.quantile is None else f" for {100 * goal.quantile:g} % of frames"
    return f"{estimate.latency_ms:.3g} ms, at most {estimate.latency_high_ms:.3g} ms{sure}"


def _merit(chosen: Estimate, goal: Goal) -> str:
    cost = price(chosen, goal)
    if goal.objective == "core-time" or goal.cost(chosen) is None:
        why = ", as energy is not known here" if chosen.energy_mj is None else ""
        return f"for the least core time{why}: {cost} a frame"
    if goal.objective == "latency":
        return "and is the fastest"
    if goal.objective == "budget":
        return f"and is the fastest within {goal.energy_budget_mj:.3g} mJ a frame: {chosen.energy_mj:.3g} mJ"
    if goal.objective == "edp":
        product = f"{chosen.energy_mj:.3g} mJ x {chosen.latency_ms:.3g} ms"
        return f"for the least energy x delay: {cost} ({product})"
    if goal.objective == "race-to-sleep":
        return (
            f"for the least energy from frame to frame: {cost} "
            f"({chosen.power_mw:.3g} mW of work over {goal.base_mw:.3g} mW awake "
            f"for {chosen.latency_ms:.3g} ms, then {goal.sleep_mw:.3g} mW asleep)"
        )
    return f"for the least energy: {cost} a frame"


def _is_fastest(goal: Goal) -> bool:
    return goal.objective in ("budget", "latency")


def _first_of(items: Sequence[str]) -> str:
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _name(estimate: Estimate, among: Sequence[Estimate]) -> str:
    several = len({e.variant for e in among}) > 1
    return f"{estimate.variant} on {estimate.setting}" if several else str(estimate.setting)
