"""From policies and records to the points and marks of the plot."""

from __future__ import annotations

from dataclasses import replace

from edgekit.report.content import TargetView
from edgekit.report.pareto import Mark, Plot, Point
from edgekit.report.units import millijoules, milliseconds, short
from runtime.choice import Estimate
from runtime.goal import Goal
from runtime.outcome import Outcome
from runtime.records import Record
from runtime.setting import Setting

ENERGY = "energy per frame, mJ"
PERIOD_ENERGY = "energy from frame to frame, mJ"
CORE_TIME = "core time per frame, ms (energy is unknown here)"
NAMES = {
    "policy": "policy",
    "performance": "performance",
    "powersave": "powersave",
    "schedutil": "schedutil",
    "eas": "EAS + schedutil",
    "ebs": "EBS",
    "best": "exhaustive best",
}


def plot_of(view: TargetView) -> Plot | None:
    """Return the plot of one target: its policy's estimates, else its records; ``None`` without either."""
    if view.policy is not None:
        points = [_from_estimate(estimate) for estimate in view.policy.considered]
        costs = [view.policy.goal.frame_mj(estimate) for estimate in view.policy.considered]
    else:
        points = [_from_record(record) for record in view.records]
        costs = [record.energy_mj for record in view.records]
    if not points:
        return None
    energy_is_known = all(costs)
    if energy_is_known:
        points = [replace(point, cost=cost) for point, cost in zip(points, costs, strict=True) if cost]
    marks = () if view.policy is None else _marks(view, energy_is_known)
    label = ENERGY if energy_is_known else CORE_TIME
    if view.policy is None:
        return Plot(tuple(points), marks, label)
    if energy_is_known and view.policy.objective == "race-to-sleep":
        label = PERIOD_ENERGY
    return Plot(tuple(points), marks, label, 1000.0 / view.policy.deadline_ms, _asked(view.policy.goal))


def _asked(goal: Goal) -> str:
    if goal.deadline_ms < 0.99 * goal.period_ms / (1.0 + goal.margin_pct / 100.0):
        return f"{short(goal.deadline_ms)} ms asked"
    margin = f" + {goal.margin_pct:g} %" if goal.margin_pct else ""
    return f"{short(goal.fps_target)} FPS asked{margin}"


def _from_estimate(estimate: Estimate) -> Point:
    bounds = f"{milliseconds(estimate.latency_low_ms)} to {milliseconds(estimate.latency_high_ms)}"
    latency = f"{milliseconds(estimate.latency_ms)} ({bounds})"
    return Point(
        group=estimate.setting.cluster,
        kind=estimate.variant,
        ladder=_ladder(estimate.variant, estimate.setting),
        fps=1000.0 / estimate.latency_ms,
        cost=estimate.core_ms,
        tip=_tip(estimate.variant, estimate.setting, latency, estimate.energy_mj),
        fps_low=1000.0 / estimate.latency_high_ms,
        fps_high=1000.0 / estimate.latency_low_ms,
    )


def _from_record(record: Record) -> Point:
    return Point(
        group=record.setting.cluster,
        kind=record.variant,
        ladder=_ladder(record.variant, record.setting),
        fps=record.fps,
        cost=record.latency_ms * record.setting.threads,
        tip=_tip(record.variant, record.setting, milliseconds(record.latency_ms), record.energy_mj),
        fps_low=1000.0 / record.p90_ms,
        fps_high=1000.0 / min(record.samples_ms),
    )


def _ladder(variant: str, setting: Setting) -> str:
    return f"{variant} {setting.cluster} x{setting.threads}"


def _tip(variant: str, setting: Setting, latency: str, energy_mj: float | None) -> str:
    energy = "" if energy_mj is None else f"\n{millijoules(energy_mj)} a frame"
    return f"{variant}\n{setting}\n{latency}{energy}"


def _marks(view: TargetView, energy_is_known: bool) -> tuple[Mark, ...]:
    policy = view.policy
    if policy is None:
        return ()
    chosen = policy.chosen
    best = next((o for o in policy.comparison if o.governor == "best"), None)
    is_best = best is not None and _is_same(best, chosen.setting)
    name = "chosen = exhaustive best" if is_best else "chosen"
    frame_mj = policy.goal.frame_mj(chosen)
    cost = frame_mj if energy_is_known and frame_mj else chosen.core_ms
    tip = _tip(chosen.variant, chosen.setting, milliseconds(chosen.latency_ms), chosen.energy_mj)
    marks = [Mark(name, 1000.0 / chosen.latency_ms, cost, tip, is_chosen=True)]
    for outcome in policy.comparison:
        if outcome.governor == "policy" or (is_best and outcome is best):
            continue
        cost = outcome.energy_mj if energy_is_known else outcome.latency_ms * outcome.threads
        if cost:
            name = NAMES.get(outcome.governor, outcome.governor)
            marks.append(Mark(name, 1000.0 / outcome.latency_ms, cost, _outcome_tip(name, outcome)))
    return tuple(marks)


def _is_same(outcome: Outcome, setting: Setting) -> bool:
    used = (outcome.cluster, outcome.freq_low_khz, outcome.freq_high_khz, outcome.threads)
    return used == (setting.cluster, setting.freq_khz, setting.freq_khz, setting.threads)


def _outcome_tip(name: str, outcome: Outcome) -> str:
    clocks = clocks_of(outcome)
    energy = millijoules(outcome.energy_mj)
    return f"{name}\n{outcome.cluster} @ {clocks}\n{milliseconds(outcome.latency_ms)}\n{energy} a frame"


def clocks_of(outcome: Outcome) -> str:
    """Return the clock or the range of clocks a governor used."""
    low, high = f"{outcome.freq_low_khz / 1000:g}", f"{outcome.freq_high_khz / 1000:g}"
    return f"{low} MHz" if low == high else f"{low} to {high} MHz"
