"""Whether a choice would stand if all that is assumed of the power were known."""

from __future__ import annotations

from dataclasses import replace

from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.goal import Goal
from runtime.choose.tuning.choice import Choice
from runtime.choose.tuning.power_source import PowerSource
from runtime.device.soc.account import work_mj
from runtime.device.soc.power import CORNERS


def explain_regret(choice: Choice, goal: Goal, power: PowerSource) -> str:
    """Return which other settings may be as cheap as the chosen one, and what the choice may cost.

    Idle power that nobody read, whether other work keeps a cluster up, and what a further core adds are
    assumed within bounds (``runtime.device.soc.power``): alike for two settings of one cluster, whichever way
    for those of two. Empty where the choice stands whatever they are, or no energy was weighed.

    Example:
        >>> explain_regret(choice, goal, power)                           # doctest: +SKIP
        'big @ 500 MHz or mid @ 696 MHz: a tie within what is known, the other may take up to 9 % less.'
    """
    if not choice.meets_goal or goal.objective not in ("awake", "race-to-sleep", "edp"):
        return ""
    ties = [
        (share, other)
        for other in choice.winners[1:]
        if (share := _regret(choice.chosen, other, goal, power)) > 0
    ]
    if not ties:
        return ""
    share, other = max(ties, key=lambda tie: tie[0])
    more = f" (and {len(ties) - 1} more)" if len(ties) > 1 else ""
    return (
        f"{choice.chosen.setting} or {other.setting}{more}: a tie within what is known of the power, the "
        f"other may take up to {100 * share:.0f} % less. A meter on the device decides."
    )


def _regret(chosen: Estimate, other: Estimate, goal: Goal, power: PowerSource) -> float:
    """Return by which share ``other`` may be cheaper than ``chosen``; 0 where it cannot be."""
    ours, theirs = _costs(chosen, goal, power), _costs(other, goal, power)
    if not ours or not theirs:
        return 0.0
    if chosen.setting.cluster == other.setting.cluster:
        return max(1.0 - least / most for most, least in zip(ours, theirs, strict=True))
    return max(0.0, 1.0 - min(theirs) / max(ours))


def _costs(estimate: Estimate, goal: Goal, power: PowerSource) -> list[float]:
    """Return the cost under each corner of what is known; a metered power is the same in all."""
    figure = power(Option(estimate.variant, estimate.setting))
    if figure is None:
        return []
    powers_mw = figure.corners_mw or (figure.power_mw,) * len(CORNERS)
    costs = [
        goal.cost(replace(estimate, power_mw=mw, energy_mj=work_mj(mw, estimate.latency_ms)))
        for mw in powers_mw
    ]
    return [cost for cost in costs if cost is not None]
