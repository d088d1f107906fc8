"""The chosen setting beside the kernel's governors and the exhaustive best, on the same frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from runtime.baselines import (
    Domain,
    Outcome,
    biggest,
    fixed,
    performance,
    place_by_energy,
    powersave,
    schedutil,
    simulate,
)
from runtime.bundle import Bundle
from runtime.choice import Estimate, Option
from runtime.latency_source import benched_options, threads_of
from runtime.records import Record
from runtime.soc import roofline_latency_ms

if TYPE_CHECKING:
    from runtime.targets import Target


def compare(
    bundle: Bundle,
    target: Target,
    records: Sequence[Record],
    options: Sequence[Option],
    chosen: Estimate,
    fps: float,
) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """Return what becomes of the same frames under each governor, and remarks.

    True latencies, not predicted ones, drive the frames: modelled at every setting of a virtual
    target, the medians of what was benched on a real one. ``performance`` and ``powersave`` run on
    the biggest cluster; ``schedutil`` where energy-aware scheduling places the task; ``best`` is the
    setting of least energy among all that finish in time, found by trying each. The kernel's
    governors run the chosen variant with the chosen number of threads.
    """
    truth = true_latencies(bundle, target, records, options)
    mine = Option(chosen.variant, chosen.setting)
    if mine.setting.freq_khz is None:
        return (), ("no comparison with governors: this target's clocks cannot be set or read",)
    remarks = []
    if mine not in truth:
        truth = {**truth, mine: chosen.latency_ms}
        remarks.append("the chosen setting was not benched: its predicted latency stands in the comparison")
    if target.provenance != "modelled":
        remarks.append(f"compared over the {len(truth)} settings benched")

    domains = _domains(target, truth, mine)
    period_ms = 1000.0 / fps
    placed = place_by_energy(domains, period_ms)
    outcomes = [
        _serve("policy", target, truth, mine, fps),
        simulate("performance", biggest(domains), performance, fps=fps),
        simulate("powersave", biggest(domains), powersave, fps=fps),
        simulate("schedutil", placed, schedutil, fps=fps),
    ]
    best = _exhaustive_best(target, truth, period_ms)
    if best is None:
        remarks.append(f"no setting at all finishes a frame in {period_ms:.3g} ms")
    else:
        outcomes.append(_serve("best", target, truth, best, fps))
    ours_mj = outcomes[0].energy_mj
    return tuple(replace(o, saved_pct=_saved_pct(ours_mj, o.energy_mj)) for o in outcomes), tuple(remarks)


def true_latencies(
    bundle: Bundle, target: Target, records: Sequence[Record], options: Sequence[Option]
) -> dict[Option, float]:
    """Return the latency in ms of each option where it is known without a predictor."""
    variants = {option.variant for option in options}
    if target.provenance != "modelled":
        benched = benched_options(bundle, target, records)
        return {o: record.latency_ms for o, record in benched.items() if o.variant in variants}
    threads = threads_of(options)
    truth = {}
    for variant in (bundle.manifest.variant(name) for name in sorted(variants)):
        workload = bundle.workload(variant)
        if workload is None:
            continue
        for setting in target.settings(threads):
            latency_ms = roofline_latency_ms(workload, target.profile, setting, variant.precision)
            truth[Option(variant.name, setting)] = latency_ms
    return truth


def _domains(target: Target, truth: Mapping[Option, float], mine: Option) -> list[Domain]:
    ladders: dict[str, list[Option]] = {}
    for option in sorted(truth, key=lambda option: option.setting.freq_khz or 0):
        same = option.variant == mine.variant and option.setting.threads == mine.setting.threads
        if same and option.setting.freq_khz is not None:
            ladders.setdefault(option.setting.cluster, []).append(option)
    return [_domain(target, truth, ladder) for ladder in ladders.values()]


def _domain(target: Target, truth: Mapping[Option, float], ladder: Sequence[Option]) -> Domain:
    settings = [option.setting for option in ladder]
    clocks = [setting.freq_khz for setting in settings if setting.freq_khz is not None]
    cluster = settings[0].cluster
    figures = [target.power(setting) for setting in settings]
    return Domain(
        cluster=cluster,
        threads=settings[0].threads,
        freq_khz=tuple(clocks),
        capacity=tuple(target.profile.capacity(cluster, khz) for khz in clocks),
        latency_ms=tuple(truth[option] for option in ladder),
        power_mw=tuple(None if figure is None else figure.power_mw for figure in figures),
    )


def _serve(name: str, target: Target, truth: Mapping[Option, float], option: Option, fps: float) -> Outcome:
    return simulate(name, _domain(target, truth, [option]), fixed(0), fps=fps)


def _exhaustive_best(target: Target, truth: Mapping[Option, float], period_ms: float) -> Option | None:
    def cost(option: Option) -> tuple[bool, float, int]:
        figure = target.power(option.setting)
        core_ms = truth[option] * option.setting.threads
        energy_uj = core_ms if figure is None else figure.power_mw * truth[option]
        return figure is None, energy_uj, option.setting.freq_khz or 0

    in_time = [option for option, latency_ms in truth.items() if latency_ms <= period_ms]
    return min(in_time, key=cost) if in_time else None


def _saved_pct(ours_mj: float | None, theirs_mj: float | None) -> float | None:
    if ours_mj is None or not theirs_mj:
        return None
    return 100.0 * (1.0 - ours_mj / theirs_mj)
