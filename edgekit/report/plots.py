"""From policies and records to the points and marks of the plot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from edgekit.report.content import TargetView
from edgekit.report.frontier import Point
from edgekit.report.governors import is_alike
from edgekit.report.pareto import Mark, Plot
from edgekit.report.units import millijoules, milliseconds, short
from runtime.choose.policy.estimate import Estimate
from runtime.choose.policy.goal import Goal
from runtime.choose.policy.outcome import Outcome
from runtime.choose.policy.policy import Policy
from runtime.device.setting import Setting
from runtime.measure.energy_basis import unlike_energies
from runtime.measure.records import Record

ENERGY = "energy per frame, mJ"
PERIOD_ENERGY = "energy from frame to frame, mJ"
CORE_TIME = "core time, ms (no energy known)"
UNLIKE_ENERGIES = "core time, ms (energies are on unlike bases)"
_NAMED = 2  # of a place where several marks stand; its tip has them all


def plot_of(view: TargetView) -> Plot | None:
    """Return the plot of one target: its policy's estimates, else its records; ``None`` without either."""
    if view.policy is not None:
        return plot_of_policy(view.policy)
    if not view.records:
        return None
    records = map(_from_record, view.records)
    if unlike_energies(view.records):
        return Plot(tuple(records), (), UNLIKE_ENERGIES)
    points, is_energy = _priced(records, [r.energy_mj for r in view.records])
    return Plot(points, (), ENERGY if is_energy else CORE_TIME)


def plot_of_policy(policy: Policy) -> Plot | None:
    """Return every setting that was considered, the chosen one and the governors; ``None`` without any."""
    if not policy.considered:
        return None
    costs = [policy.goal.frame_mj(estimate) for estimate in policy.considered]
    points, is_energy = _priced(map(_from_estimate, policy.considered), costs)
    label = ENERGY if is_energy else CORE_TIME
    if is_energy and policy.objective == "race-to-sleep":
        label = PERIOD_ENERGY
    enough_fps = 1000.0 / policy.goal.latency_limit_ms
    return Plot(points, _marks(policy, is_energy), label, enough_fps, _asked(policy.goal))


def _priced(points: Iterable[Point], costs: Sequence[float | None]) -> tuple[tuple[Point, ...], bool]:
    """Return the points at their energies where all are known, else as they are; and which it was."""
    if not all(costs):
        return tuple(points), False
    return tuple(replace(point, cost=cost) for point, cost in zip(points, costs, strict=True) if cost), True


def _asked(goal: Goal) -> str:
    if goal.has_own_deadline:
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


def _marks(policy: Policy, energy_is_known: bool) -> tuple[Mark, ...]:
    chosen = policy.chosen
    frame_mj = policy.goal.frame_mj(chosen)
    cost = frame_mj if energy_is_known and frame_mj else chosen.core_ms
    tip = _tip(chosen.variant, chosen.setting, milliseconds(chosen.latency_ms), chosen.energy_mj)
    marks = [Mark("chosen", 1000.0 / chosen.latency_ms, cost, tip, is_chosen=True)]
    # The best goes first, so that it is named where several stand at one place.
    for outcome in sorted(policy.comparison, key=lambda outcome: outcome.governor != "best"):
        cost = outcome.energy_mj if energy_is_known else outcome.latency_ms * outcome.threads
        if outcome.governor != "policy" and cost:
            name = f"{outcome.title} (late)" if outcome.misses_deadline else outcome.title
            mark = Mark(name, 1000.0 / outcome.latency_ms, cost, _outcome_tip(outcome))
            marks.append(mark)
    return _merged(marks)


def _merged(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return ``marks`` with those at the same place under one name."""
    places: list[list[Mark]] = []
    for mark in marks:
        same = next(
            (p for p in places if is_alike(p[0].fps, mark.fps) and is_alike(p[0].cost, mark.cost)), None
        )
        if same is None:
            places.append([mark])
        else:
            same.append(mark)
    merged = []
    for first, *others in places:
        name = ", ".join(mark.name for mark in [first, *others][:_NAMED])
        tip = "\n".join([first.tip, *(f"also {mark.name}" for mark in others)])
        merged.append(replace(first, name=name, tip=tip))
    return tuple(merged)


def _outcome_tip(outcome: Outcome) -> str:
    clocks = clocks_of(outcome)
    energy = millijoules(outcome.energy_mj)
    late = f"\nmisses the deadline in {outcome.late_frames} of {outcome.frames} frames"
    return (
        f"{outcome.title}\n{outcome.cluster} @ {clocks}\n{milliseconds(outcome.latency_ms)}\n{energy} a frame"
        f"{late if outcome.misses_deadline else ''}"
    )


def clocks_of(outcome: Outcome) -> str:
    """Return the clock or the range of clocks a governor used."""
    low, high = f"{outcome.freq_low_khz / 1000:g}", f"{outcome.freq_high_khz / 1000:g}"
    return f"{low} MHz" if low == high else f"{low} to {high} MHz"
