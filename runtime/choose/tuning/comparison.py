"""The chosen setting beside governors and the exhaustive best, replayed on the same frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from runtime.bundle import Bundle
from runtime.choose.decision import DecisionTable
from runtime.choose.fitting.usable import benched_options
from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.goal import Goal
from runtime.choose.policy.outcome import Outcome
from runtime.choose.tuning.latency_source import estimate_of, threads_of
from runtime.choose.tuning.power_source import power_source
from runtime.device.soc import modelled_frame
from runtime.measure.records import Record

if TYPE_CHECKING:
    from runtime.choose.simulation import Platform, SimGovernor, TimedPlatform
    from runtime.targets import Target

# After which a governor has found out what frames take: three to believe them, some thirty for their
# spread, eight before something cheaper is taken, and as many again where two rows then share frames.
_FRAMES_TO_SETTLE = 120
_ALIKE = 0.01  # energies that differ by less are not worth a remark


def compare(
    bundle: Bundle,
    target: Target,
    records: Sequence[Record],
    options: Sequence[Option],
    chosen: Estimate,
    goal: Goal,
    considered: Sequence[Estimate] = (),
) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """Return what becomes of the same frames under each governor, and remarks.

    True latencies, not predicted ones, drive the frames: modelled at every setting of a virtual
    target, the medians of what was benched on a real one. Governors are those of
    ``runtime.choose.simulation``, with changes of clock that take no time; they run the chosen variant with
    the chosen number of threads, all but ``eas`` and ``ebs`` on the biggest cluster. ``best`` is the
    best by the goal among all settings and variants, found by trying each. ``governed`` is what
    ``edgekit govern`` settles at, which begins with ``considered`` and corrects it by what frames take:
    the chosen setting is right before any frame was seen, and held where there is no feedback.

    A frame is late after the goal's deadline, whoever runs it: a governor that only keeps up with the pace
    misses an earlier one, and says so.
    """
    truth = _truth(bundle, target, records, options)
    mine = Option(chosen.variant, chosen.setting)
    if mine.setting.freq_khz is None:
        return (), ("no comparison with governors: this target's clocks cannot be set or read",)
    remarks = []
    if mine not in truth:
        truth = {**truth, mine: chosen}
        remarks.append("the chosen setting was not benched: its predicted latency stands in the comparison")
    if not target.is_modelled:
        remarks.append(f"compared over the {len(truth)} settings benched")
    from runtime.choose.simulation import Performance, Steady, replay_frames

    def replayed(
        name: str, platform: TimedPlatform, governor: Callable[[Platform], SimGovernor], settle: int = 30
    ) -> Outcome:
        fps, deadline_ms = goal.fps_target, goal.deadline_ms
        return replay_frames(name, platform, governor, fps=fps, deadline_ms=deadline_ms, settle=settle)

    def held(name: str, estimate: Estimate) -> Outcome:
        return replayed(name, _platform(target, [estimate], goal), Performance)

    outcomes = [held("policy", truth[mine])]
    same = [
        estimate
        for estimate in truth.values()
        if (estimate.variant, estimate.setting.threads) == (mine.variant, mine.setting.threads)
        and estimate.setting.freq_khz is not None
    ]
    platform = _platform(target, same, goal)
    places = {Option(estimate.variant, estimate.setting) for estimate in same}
    there = [estimate for estimate in considered if Option(estimate.variant, estimate.setting) in places]
    if there:
        table = DecisionTable.by_goal(there, goal)
        steady = partial(Steady, table=table, deadline_ms=goal.latency_limit_ms)
        outcomes.append(replayed("governed", platform, steady, _FRAMES_TO_SETTLE))
        remarks += _settled(outcomes[0], outcomes[1])
    for name, governor in _governors(any(e.power_mw is not None for e in same)).items():
        outcomes.append(replayed(name, platform, governor))
    met = [estimate for estimate in truth.values() if goal.is_met(estimate)]
    if met:
        outcomes.append(held("best", min(met, key=goal.order)))
    else:
        remarks.append(_nothing_meets(goal))
    ours_mj = outcomes[0].energy_mj
    return tuple(replace(o, saved_pct=_saved_pct(ours_mj, o.energy_mj)) for o in outcomes), tuple(remarks)


def _settled(held: Outcome, governed: Outcome) -> list[str]:
    """Return what feedback changes, in words, where the two are not the same."""
    if held.energy_mj is None or governed.energy_mj is None:
        return []
    if abs(governed.energy_mj / held.energy_mj - 1.0) < _ALIKE:
        return []
    return [
        f"governors settle by what frames take, and so does edgekit govern: at {governed.energy_mj:.3g} mJ a "
        f"frame here, where the setting chosen before any frame was seen takes {held.energy_mj:.3g} mJ"
    ]


def _governors(knows_power: bool) -> dict[str, Callable[[Platform], SimGovernor]]:
    from runtime.choose import simulation

    governors: dict[str, Callable[[Platform], SimGovernor]] = {
        "performance": simulation.Performance,
        "powersave": simulation.Powersave,
        "ondemand": simulation.Ondemand,
        "conservative": simulation.Conservative,
        "interactive": simulation.Interactive,
        "schedutil": simulation.Schedutil,
    }
    if knows_power:  # both weigh energies; without one they are not what they are called
        governors |= {"eas": simulation.EnergyAware, "ebs": simulation.EventBased}
    return governors


def _truth(
    bundle: Bundle, target: Target, records: Sequence[Record], options: Sequence[Option]
) -> dict[Option, Estimate]:
    """Return what a frame takes under each option where that is known without a predictor."""
    variants = {option.variant for option in options}
    latencies_ms: Mapping[Option, float]
    benched = benched_options(bundle, target, records)
    if not target.is_modelled:
        latencies_ms = {o: record.latency_ms for o, record in benched.items() if o.variant in variants}
    else:
        latencies_ms = _modelled_ms(bundle, target, sorted(variants), threads_of(options))
    power = power_source(target, benched)
    return {o: estimate_of(o, power, ms, ms, ms) for o, ms in latencies_ms.items()}


def _modelled_ms(
    bundle: Bundle, target: Target, variants: Sequence[str], threads: Sequence[int]
) -> dict[Option, float]:
    costs = {name: bundle.costs(bundle.manifest.variant(name)) for name in variants}
    return {
        Option(name, setting): modelled_frame(parts, target.profile, setting).latency_ms
        for name, parts in costs.items()
        if parts
        for setting in target.settings(threads)
    }


def _platform(target: Target, estimates: Sequence[Estimate], goal: Goal) -> TimedPlatform:
    from runtime.choose.simulation import timed_platform

    order = [cluster.name for cluster in target.profile.clusters]

    def place(e: Estimate) -> tuple[int, str, int]:  # clusters used as one come after the fastest of them
        parts = target.profile.cluster(e.setting.cluster).parts
        return max(order.index(part.name) for part in parts), e.setting.cluster, e.setting.freq_khz or 0

    ordered = sorted(estimates, key=place)
    settings = [(e.setting.cluster, e.setting.freq_khz or 0) for e in ordered]
    return timed_platform(
        target.profile.name,
        clusters=[cluster for cluster, _ in settings],
        freqs_khz=[khz for _, khz in settings],
        capacities=[target.profile.capacity(cluster, khz) for cluster, khz in settings],
        latencies_ms=[e.latency_ms for e in ordered],
        powers_mw=[None if e.power_mw is None else goal.busy_mw(e.power_mw) for e in ordered],
        threads=ordered[0].setting.threads,
        idle_mw=goal.waiting_mw,
    )


def _nothing_meets(goal: Goal) -> str:
    within = " within the limits" if goal.is_capped else ""
    return f"no setting at all finishes a frame in {goal.latency_limit_ms:.3g} ms{within}"


def _saved_pct(ours_mj: float | None, theirs_mj: float | None) -> float | None:
    if ours_mj is None or not theirs_mj:
        return None
    return 100.0 * (1.0 - ours_mj / theirs_mj)
