"""Run all blocks of a bench: interleaved in random order, raw samples kept, resumable."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from runtime.bundle import Bundle
from runtime.device.setting import Setting
from runtime.measure.bench.block import measure_block, sha256_of
from runtime.measure.bench.plan import BenchJob, BenchPlan, order
from runtime.measure.records import Record, RecordLog
from runtime.targets import Target

Key = tuple[str, str, str, Setting, int, int, float | None]
Progress = Callable[[int, int, Record], None]  # blocks done, blocks in all, the latest record
OnStep = Callable[[str], None]  # what begins now


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
    fps: float | None = None,
    max_temp_c: float | None = None,
    cool_down_s: float = 120.0,
    retries: int = 0,
    log: RecordLog,
    progress: Progress | None = None,
    on_step: OnStep = lambda text: None,
) -> list[Record]:
    """Measure every variant under every setting and return the records, in the order they ran.

    Each block visits all (variant, setting) once, in an order shuffled by ``seed``, so that drift
    of the machine spreads over all of them. Every finished block is in ``log`` before the next
    one starts; what ``log`` already has with at least ``runs`` samples is not measured again.

    A modelled target gives one exact sample, so one block is enough and no engine runs.

    Args:
        settings: default: all the target offers with ``threads``.
        variants: names; default: all of the bundle.
        runs, warmup, blocks, seed, fps, max_temp_c, cool_down_s, retries: see ``BenchPlan``.
        progress: called after each block with (done, total, record).
        on_step: called before each block that is measured, and when it waits for a hot machine.

    Raises:
        ValueError: an unknown variant or setting, or counts below 1.
        DeviceError, PermissionNeeded: the target cannot do it; finished blocks are in ``log``.

    Example:
        >>> log = RecordLog(bundle.path / "records/local.jsonl")            # doctest: +SKIP
        >>> bench(bundle, open_target("local"), log=log)[0].latency_ms      # doctest: +SKIP
    """
    plan = BenchPlan(runs, warmup, blocks, seed, fps, max_temp_c, cool_down_s, retries)
    names = variants or [variant.name for variant in bundle.manifest.variants]
    chosen = [bundle.manifest.variant(name) for name in names]
    wanted = target.settings(threads) if settings is None else settings
    is_modelled = target.is_modelled
    jobs = order(bundle, chosen, wanted, 1 if is_modelled else blocks, seed)
    known = {_key(record): record for record in log if len(record.samples_ms) >= runs or is_modelled}
    return run_jobs(jobs, target, plan, [log] * len(jobs), known, progress, on_step)


def run_jobs(
    jobs: Sequence[BenchJob],
    target: Target,
    plan: BenchPlan,
    logs: Sequence[RecordLog],
    known: Mapping[Key, Record] | None = None,
    progress: Progress | None = None,
    on_step: OnStep = lambda text: None,
) -> list[Record]:
    """Run ``jobs`` one after the other and return the record of each.

    Args:
        logs: for each job, where its records are kept.
        known: blocks that are not measured again; see ``bench``.
        progress, on_step: see ``bench``.
    """
    run = uuid.uuid4().hex[:12]
    records: list[Record] = []
    for job, log in zip(jobs, logs, strict=True):
        record = (known or {}).get(_key_of(job, target, plan))
        if record is None:
            mine = (sha256_of(job.bundle, job.variant), job.variant.name, job.setting, "stable")
            earlier = [r for r in records if (r.model_sha256, r.variant, r.setting, r.verdict) == mine]
            what = f"block {len(records) + 1} of {len(jobs)}: {job.variant.name} {job.setting}"
            on_step(what)
            record = measure_block(target, job, plan, earlier, run, on_step)
            while record.verdict == "unstable" and record.tries <= plan.retries:
                on_step(f"{what}, again: it was unstable")
                again = measure_block(target, job, plan, earlier, run, on_step)
                record = replace(again, tries=record.tries + 1)
            log.append(record)
        records.append(record)
        if progress is not None:
            progress(len(records), len(jobs), record)
    return records


def _key_of(job: BenchJob, target: Target, plan: BenchPlan) -> Key:
    sha256 = sha256_of(job.bundle, job.variant)
    return sha256, job.variant.name, target.name, job.setting, plan.seed, job.block, plan.fps


def _key(record: Record) -> Key:
    return (
        record.model_sha256, record.variant, record.target, record.setting, record.seed, record.block,
        record.fps_target,
    )  # fmt: skip
