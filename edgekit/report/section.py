"""What the report shows of one target, put in the form the template takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.report import units
from edgekit.report.axes import Axis
from edgekit.report.content import Content, TargetView, VariantView
from edgekit.report.governors import GovernorRow, fold
from edgekit.report.ops import KindShare, TopOps, shares_by_kind, top_ops
from edgekit.report.pareto import Plot, draw
from edgekit.report.plots import plot_of
from edgekit.report.svg import trusted
from edgekit.report.timings import Timing, timings_of
from runtime.choose.policy.policy import Policy
from runtime.device.setting import Setting
from runtime.measure.bench.rows import BenchRow, best_frames, summarise

WIDE, NARROW = 900.0, 400.0
_HEIGHT, _LOW = 470.0, 310.0  # of a plot, and of one with few points
FEW = 8  # settings that are shown without folding any away


@dataclass(frozen=True)
class SettingRow:
    """One setting in the table of all of them; ``spread`` is the interval, or the 90th percentile."""

    setting: Setting
    variant: str
    latency_ms: float
    spread: str
    power_mw: float | None
    energy_mj: float | None
    is_chosen: bool = False


@dataclass(frozen=True)
class ReportSection:
    """One target.

    Attributes:
        wide, narrow: the plot as markup, for wide and narrow screens.
        shown: the variant whose ops ``shares`` adds up, at ``setting`` where ``is_latency``.
        timings: the chosen setting and the fastest of each ladder, or all where there are few; the others
            are ``more_timings``.
        latencies: by variant, at the chosen setting and at the fastest one.
        frames: of each variant that is a whole flow the fastest setting, whose parts are shown.
    """

    view: TargetView
    plot: Plot | None
    wide: Any
    narrow: Any
    settings: tuple[SettingRow, ...]
    governors: tuple[GovernorRow, ...]
    timings: tuple[Timing, ...]
    more_timings: tuple[Timing, ...]
    scale: Axis | None
    ops: tuple[TopOps, ...]
    shown: VariantView
    setting: Setting | None
    shares: tuple[KindShare, ...]
    is_latency: bool
    latencies: dict[str, dict[str, float | None]]
    frames: tuple[BenchRow, ...]

    @property
    def knows_energy(self) -> bool:
        """Return whether the table of settings has any energy to show."""
        return any(row.power_mw is not None or row.energy_mj is not None for row in self.settings)


def section_of(content: Content, view: TargetView) -> ReportSection:
    """Return what there is to show of ``view``."""
    plot = plot_of(view)
    policy = view.policy
    variants = content.frames + content.variants
    name = policy.variant if policy else variants[0].variant.name
    shown = next(v for v in variants if v.variant.name == name)
    setting = policy.setting if policy else next((block.setting for block in view.blocks), None)
    shares: list[KindShare] = []
    is_latency = False
    # Without a core to model, shares of the work are shown once, where nothing better is.
    if shown.workload is not None and (view.profile or view is content.targets[0]):
        shares, is_latency = shares_by_kind(shown.workload, shown.variant.precision, view.profile, setting)
    height = _HEIGHT if plot and len(plot.points) > FEW else _LOW
    timings, scale = timings_of(view.blocks)
    first = {id(timing) for timing in _shown_first(timings, policy)}
    return ReportSection(
        view=view,
        plot=plot,
        wide=trusted(draw(plot, WIDE, height)) if plot else None,
        narrow=trusted(draw(plot, NARROW, height)) if plot else None,
        settings=_considered(policy) if policy else _benched(view),
        governors=fold(policy.comparison) if policy else (),
        timings=tuple(timing for timing in timings if id(timing) in first),
        more_timings=tuple(timing for timing in timings if id(timing) not in first),
        scale=scale,
        ops=tuple(top_ops(kept.profile) for kept in view.profiles),
        shown=shown,
        setting=setting,
        shares=tuple(shares),
        is_latency=is_latency,
        latencies={v.variant.name: _latencies(v, view) for v in variants},
        frames=tuple(best_frames(summarise(view.blocks))),
    )


def _shown_first(timings: Sequence[Timing], policy: Policy | None) -> Sequence[Timing]:
    if len(timings) <= FEW:
        return timings
    fastest: dict[tuple[str, str, int], Timing] = {}
    for timing in timings:
        fastest.setdefault((timing.variant, timing.setting.cluster, timing.setting.threads), timing)
    chosen = (policy.variant, policy.setting) if policy else None
    return [*fastest.values(), *(t for t in timings if (t.variant, t.setting) == chosen)]


def _considered(policy: Policy) -> tuple[SettingRow, ...]:
    return tuple(
        SettingRow(
            e.setting,
            e.variant,
            e.latency_ms,
            f"{units.significant(e.latency_low_ms)} to {units.milliseconds(e.latency_high_ms)}",
            e.power_mw,
            e.energy_mj,
            e == policy.chosen,
        )
        for e in policy.considered
    )


def _benched(view: TargetView) -> tuple[SettingRow, ...]:
    return tuple(
        SettingRow(r.setting, r.variant, r.latency_ms, units.milliseconds(r.p90_ms), r.power_mw, r.energy_mj)
        for r in view.records
    )


def _latencies(variant: VariantView, view: TargetView) -> dict[str, float | None]:
    """Return the variant's latency at the chosen setting and at its fastest one."""
    name = variant.variant.name
    if view.policy is not None:
        known = {e.setting: e.latency_ms for e in view.policy.considered if e.variant == name}
    else:
        known = {record.setting: record.latency_ms for record in view.records if record.variant == name}
    chosen = None if view.policy is None else known.get(view.policy.setting)
    return {"chosen": chosen, "fastest": min(known.values(), default=None)}
