"""Measure a bundle on a target: interleaved blocks in random order, raw samples kept, resumable."""

from __future__ import annotations

import platform
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from runtime._version import __version__
from runtime.bundle import Bundle, Variant
from runtime.meters import BackgroundMeter, read_temp_c
from runtime.model_file import ModelFile, open_bundle_or_model
from runtime.policy import slug
from runtime.records import Record, RecordLog
from runtime.setting import Setting
from runtime.soc import PowerFigure
from runtime.targets import Target
from runtime.verdict import Verdict, judge

__all__ = ["BenchRow", "bench", "choose_variants", "default_log", "open_bundle_or_model", "summarise"]

Progress = Callable[[int, int, Record], None]  # blocks done, blocks in all, the latest record


@dataclass(frozen=True)
class _Job:
    variant: Variant
    setting: Setting
    block: int


def bench(
    bundle: Bundle,
    target: Target,
    *,
    settings: Sequence[Setting] | None = None,
    variants: Sequence[str] | None = None,
    threads: Sequence[int] = (1,),
    runs: int = 30,
    warmup: int = 5,
    blocks: int = 3,
    seed: int = 0,
    log: RecordLog,
    progress: Progress | None = None,
) -> list[Record]:
    """Measure every variant under every setting and return the records, in the order they ran.

    Each block visits all (variant, setting) once, in an order shuffled by ``seed``, so that drift
    of the machine spreads over all of them. Every finished block is in ``log`` before the next
    one starts; what ``log`` already has with at least ``runs`` samples is not measured again.

    A modelled target gives one exact sample, so one block is enough and no engine runs.

    Args:
        settings: default: all the target offers with ``threads``.
        variants: names; default: all of the bundle.
        runs, warmup: timed and untimed frames per block; the very first frame is kept apart.
        progress: called after each block with (done, total, record).

    Raises:
        ValueError: an unknown variant or setting, or counts below 1.
        DeviceError, PermissionNeeded: the target cannot do it; finished blocks are in ``log``.

    Example:
        >>> log = RecordLog(bundle.path / "records/local.jsonl")            # doctest: +SKIP
        >>> bench(bundle, open_target("local"), log=log)[0].latency_ms      # doctest: +SKIP
    """
    if min(runs, blocks) < 1 or warmup < 0:
        raise ValueError(
            f"runs={runs}, blocks={blocks}, warmup={warmup}; need runs and blocks >= 1, warmup >= 0"
        )
    names = variants or [variant.name for variant in bundle.manifest.variants]
    chosen = [bundle.manifest.variant(name) for name in names]
    wanted = target.settings(threads) if settings is None else settings
    is_modelled = target.provenance == "modelled"
    jobs = _order(chosen, wanted, 1 if is_modelled else blocks, seed)
    known = {_key(record): record for record in log if len(record.samples_ms) >= runs or is_modelled}
    records: list[Record] = []
    for job in jobs:
        asked = (_sha256(bundle, job.variant), job.variant.name, target.name, job.setting, seed, job.block)
        record = known.get(asked)
        if record is None:
            earlier = [
                r.latency_ms for r in records if (r.variant, r.setting) == (job.variant.name, job.setting)
            ]
            record = _measure(bundle, target, job, runs, warmup, seed, earlier)
            log.append(record)
        records.append(record)
        if progress is not None:
            progress(len(records), len(jobs), record)
    return records


def choose_variants(bundle: Bundle, engines: Sequence[str] = (), names: Sequence[str] = ()) -> list[str]:
    """Return the names of the bundle's variants of these engines and names (none given: all).

    Raises:
        ValueError: no variant is left.
    """
    for name in names:
        bundle.manifest.variant(name)
    all_of = bundle.manifest.variants
    kept = [v.name for v in all_of if (not engines or v.engine in engines) and (not names or v.name in names)]
    if not kept:
        known = ", ".join(f"{variant.name} ({variant.engine})" for variant in all_of)
        raise ValueError(
            f"no variant with engine {list(engines)} and name {list(names)}; choose from: {known}"
        )
    return kept


def default_log(bundle: Bundle, target: Target) -> RecordLog:
    """Return where records of ``bundle`` on ``target`` belong: in the bundle, or here for a bare file."""
    name = f"{slug(target.name)}.jsonl"
    if isinstance(bundle, ModelFile):
        return RecordLog(Path(f"{bundle.manifest.name}.{name}"))
    return RecordLog(bundle.path / "records" / name)


def _order(variants: Sequence[Variant], settings: Sequence[Setting], blocks: int, seed: int) -> list[_Job]:
    jobs = []
    for block in range(blocks):
        visit = [_Job(variant, setting, block) for variant in variants for setting in settings]
        random.Random(f"{seed}/{block}").shuffle(visit)
        jobs += visit
    return jobs


def _measure(
    bundle: Bundle, target: Target, job: _Job, runs: int, warmup: int, seed: int, earlier_ms: Sequence[float]
) -> Record:
    with target.session(bundle, job.variant, job.setting) as session:
        meter = None if session.worker_pid is None else BackgroundMeter(session.worker_pid)
        samples = session.sample(warmup=warmup, runs=runs)
        background_share = None if meter is None else meter.read_share()
        setting_read, rung, versions = session.setting_read, session.rung, session.versions
    if target.provenance == "modelled":
        verdict = Verdict("stable", ("modelled: exact, and as wrong as the model",))
    else:
        verdict = judge(
            samples.samples_ms,
            asked=job.setting,
            read=setting_read,
            earlier_medians_ms=earlier_ms,
            background_share=background_share,
        )
    power = target.power(job.setting)
    latency_ms = float(np.median(samples.samples_ms))
    return Record(
        model=bundle.manifest.name,
        model_sha256=_sha256(bundle, job.variant),
        variant=job.variant.name,
        engine=job.variant.engine,
        precision=job.variant.precision,
        target=target.name,
        provenance=target.provenance,
        setting=job.setting,
        setting_read=setting_read,
        rung=rung,
        samples_ms=samples.samples_ms,
        first_ms=samples.first_ms,
        warmup=warmup,
        power_mw=None if power is None else power.power_mw,
        energy_mj=None if power is None else power.power_mw * latency_ms / 1000,
        energy_source=_energy_source(target, power),
        temp_c=None if target.provenance == "modelled" else read_temp_c(),
        verdict=verdict.verdict,
        reasons=verdict.reasons,
        block=job.block,
        seed=seed,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={"edgekit": __version__, "python": platform.python_version()} | versions,
    )


def _energy_source(target: Target, power: PowerFigure | None) -> str:
    if power is None:
        return target.energy_note
    # Measured power times a modelled latency is not a measured energy.
    return f"modelled latency x {power.source}" if target.provenance == "modelled" else power.source


def _sha256(bundle: Bundle, variant: Variant) -> str:
    return next(entry.sha256 for entry in bundle.manifest.files if entry.path == variant.path)


def _key(record: Record) -> tuple[str, str, str, Setting, int, int]:
    return record.model_sha256, record.variant, record.target, record.setting, record.seed, record.block


@dataclass(frozen=True)
class BenchRow:
    """All blocks of one variant under one setting, in one line.

    ``verdict`` is ``unstable`` as soon as one block is; ``reasons`` are then those blocks'.
    """

    variant: str
    setting: Setting
    latency_ms: float
    iqr_ms: float
    p90_ms: float
    fps: float
    power_mw: float | None
    energy_mj: float | None
    energy_source: str
    provenance: str
    verdict: str
    reasons: tuple[str, ...]

    @property
    def energy_kind(self) -> str | None:
        """First words of ``energy_source``: measured, modelled latency x measured, ...; ``None`` without."""
        return None if self.power_mw is None else self.energy_source.partition(":")[0]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What someone who reads the row must know: why it is unstable, modelled or without energy."""
        found = [f"unstable: {self.variant} {self.setting}: {why}" for why in self.reasons]
        if self.verdict == "stable":
            found = list(self.reasons) if self.provenance == "modelled" else []
        return (*found, f"no energy: {self.energy_source}") if self.power_mw is None else tuple(found)


def summarise(records: Sequence[Record]) -> list[BenchRow]:
    """Return one row per (variant, setting), figures over the samples of all its blocks."""
    groups: dict[tuple[str, Setting], list[Record]] = {}
    for record in sorted(records, key=lambda r: (r.variant, r.setting.threads, r.setting.cluster)):
        groups.setdefault((record.variant, record.setting), []).append(record)
    rows = [_row(group) for group in groups.values()]
    return sorted(rows, key=lambda row: (row.variant, -row.latency_ms))


def _row(group: Sequence[Record]) -> BenchRow:
    samples_ms = [sample for record in group for sample in record.samples_ms]
    low, median_ms, high, p90_ms = (float(x) for x in np.percentile(samples_ms, [25, 50, 75, 90]))
    first = group[0]
    unstable = [record for record in group if record.verdict == "unstable"]
    reasons = dict.fromkeys(reason for record in unstable or group for reason in record.reasons)
    return BenchRow(
        variant=first.variant,
        setting=first.setting,
        latency_ms=median_ms,
        iqr_ms=high - low,
        p90_ms=p90_ms,
        fps=1000 / median_ms,
        power_mw=first.power_mw,
        energy_mj=None if first.power_mw is None else first.power_mw * median_ms / 1000,
        energy_source=first.energy_source,
        provenance=first.provenance,
        verdict="unstable" if unstable else "stable",
        reasons=tuple(reasons),
    )
