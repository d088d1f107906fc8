"""All blocks of a variant under a setting, in one row."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.device.meters.memory import MemoryUse, most_memory
from runtime.device.provenance import Provenance
from runtime.device.setting import Setting
from runtime.device.soc.account import work_mj
from runtime.flow.figures import FlowFigures, median_figures
from runtime.measure.interval import Interval, median_interval
from runtime.measure.quantile import quantile
from runtime.measure.records import Record
from runtime.measure.verdict import MORE_BLOCKS, distinct

# Half the width of the interval of the median, as a share of it. Wider, the row could not keep the 5 %
# within which two stable results agree (runtime/measure/verdict.py).
MAX_HALF_SHARE = 0.05


@dataclass(frozen=True)
class BenchRow:
    """All blocks of one variant under one setting, in one line.

    ``verdict`` is ``unstable`` as soon as one block is, or where the blocks differ so much that
    their median is not known to 5 %; ``reasons`` says why, ``advice`` what to do. ``stable_blocks``
    is how many of how many blocks are stable, ``late_share`` the share of paced frames that took
    longer than their period, ``memory`` the most that any block took, ``flow`` the parts of a frame
    that is a whole flow.
    """

    variant: str
    setting: Setting
    latency_ms: float
    interval_ms: Interval
    iqr_ms: float
    p90_ms: float
    fps: float
    power_mw: float | None
    energy_mj: float | None
    energy_source: str
    provenance: str
    verdict: str
    reasons: tuple[str, ...]
    advice: tuple[str, ...] = ()
    fps_target: float | None = None
    first_frame_ms: float | None = None
    late_share: float | None = None
    stable_blocks: tuple[int, int] = (1, 1)
    memory: MemoryUse | None = None
    flow: FlowFigures | None = None

    @property
    def is_modelled(self) -> bool:
        """Whether the latency was computed, not timed."""
        return self.provenance == Provenance.MODELLED

    @property
    def memory_mb(self) -> float | None:
        """Most memory that came with the model, in MB (powers of 1000)."""
        return None if self.memory is None else self.memory.model_mb

    @property
    def plus_minus(self) -> str:
        """Half the width of the 95 % interval, as a share of the median; of a model, its bounds."""
        if self.is_modelled:
            low, high = (
                100 * (bound / self.latency_ms - 1) for bound in (self.interval_ms.low, self.interval_ms.high)
            )
            return f"{low:+.0f} {high:+.0f}%"
        return f"{self.interval_ms.half_share:.1%}"

    @property
    def energy_kind(self) -> str | None:
        """First words of ``energy_source``: measured, modelled latency x measured, ...; ``None`` without."""
        if self.power_mw is None:
            return None
        # Records of before 0.2 call the energy of an emulated phone by its power alone.
        is_marked = self.provenance == "measured" or self.provenance in self.energy_source
        kind = self.energy_source.partition(":")[0]
        return kind if is_marked else f"{self.provenance} latency x {kind}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What someone who reads the row must know: why it is unstable, modelled or without energy."""
        stable, every = self.stable_blocks
        blocks = f" ({every - stable} of {every} blocks)" if stable < every else ""
        found = [f"unstable: {self.variant} {self.setting}{blocks}: {'; '.join(self.reasons)}"]
        if self.verdict != "unstable":
            found = list(self.reasons) if self.is_modelled else []
        found += [f"what to do: {what}" for what in self.advice]
        if self.late_share:
            found.append(
                f"late: {self.variant} {self.setting}: {self.late_share:.0%} of the frames took longer than "
                f"the {1000 / (self.fps_target or 1):.3g} ms they had"
            )
        return (*found, f"no energy: {self.energy_source}") if self.power_mw is None else tuple(found)


def best_frames(rows: Sequence[BenchRow]) -> list[BenchRow]:
    """Return the fastest row of each variant that is a whole flow."""
    best: dict[str, BenchRow] = {}
    for row in rows:
        if row.flow is not None and row.latency_ms <= best.setdefault(row.variant, row).latency_ms:
            best[row.variant] = row
    return list(best.values())


def frame_lines(rows: Sequence[BenchRow]) -> list[str]:
    """Return what a frame of each flow is, and what its parts take where it is fastest."""
    return [
        f"a frame of {row.variant} is {row.flow.text} ({row.setting})"
        for row in best_frames(rows)
        if row.flow is not None
    ]


def summarise(records: Sequence[Record]) -> list[BenchRow]:
    """Return one row per (variant, setting, pace), figures over the samples of all its blocks."""
    groups: dict[tuple[str, Setting, float | None], list[Record]] = {}
    for record in sorted(records, key=lambda r: (r.variant, r.setting.threads, r.setting.cluster)):
        groups.setdefault((record.variant, record.setting, record.fps_target), []).append(record)
    rows = [_row(group) for group in groups.values()]
    return sorted(rows, key=lambda row: (row.variant, -row.latency_ms))


def _row(group: Sequence[Record]) -> BenchRow:
    samples_ms = [sample for record in group for sample in record.samples_ms]
    low, median_ms, high, p90_ms = (quantile(samples_ms, share) for share in (0.25, 0.5, 0.75, 0.9))
    first = group[0]
    is_modelled = first.is_modelled
    interval_ms = first.interval_ms if is_modelled else median_interval([r.samples_ms for r in group])
    unstable = [record for record in group if record.verdict == "unstable"]
    reasons = distinct(reason for record in unstable or group for reason in record.reasons)
    advice = distinct(what for record in unstable for what in record.advice)
    is_wide = interval_ms.half_share > MAX_HALF_SHARE and not unstable and not is_modelled
    if is_wide:
        reasons = (
            f"the median of {len(group)} blocks is known to +-{interval_ms.half_share:.1%} only "
            f"(limit {MAX_HALF_SHARE:.0%})",
        )
        advice = (MORE_BLOCKS,)
    first_frame_ms = [record.first_frame_ms for record in group if record.first_frame_ms is not None]
    power_mw, energy_mj, energy_source = _energy(group, median_ms)
    period_ms = None if first.fps_target is None else 1000 / first.fps_target
    return BenchRow(
        variant=first.variant,
        setting=first.setting,
        latency_ms=median_ms,
        interval_ms=interval_ms,
        iqr_ms=high - low,
        p90_ms=p90_ms,
        fps=1000 / median_ms,
        power_mw=power_mw,
        energy_mj=energy_mj,
        energy_source=energy_source,
        provenance=first.provenance,
        verdict="unstable" if unstable or is_wide else first.verdict,
        reasons=reasons,
        advice=advice,
        fps_target=first.fps_target,
        first_frame_ms=statistics.median(first_frame_ms) if first_frame_ms else None,
        late_share=None if period_ms is None else sum(ms > period_ms for ms in samples_ms) / len(samples_ms),
        stable_blocks=(len(group) - len(unstable), len(group)),
        memory=most_memory([record.memory for record in group if record.memory is not None]),
        flow=median_figures([record.flow for record in group if record.flow is not None]),
    )


def _energy(group: Sequence[Record], median_ms: float) -> tuple[float | None, float | None, str]:
    """Return mW, mJ per frame and their source: means of what a meter saw in each block, else the table's."""
    metered = [r for r in group if r.energy is not None and r.energy.power_mw is not None]
    if metered:
        powers_mw = [r.power_mw for r in metered if r.power_mw is not None]
        energies_mj = [r.energy_mj for r in metered if r.energy_mj is not None]
        return statistics.fmean(powers_mw), statistics.fmean(energies_mj), metered[0].energy_source
    power_mw = group[0].power_mw
    energy_mj = None if power_mw is None else work_mj(power_mw, median_ms)
    return power_mw, energy_mj, group[0].energy_source
