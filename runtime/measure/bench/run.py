"""Run all blocks of a bench: interleaved in random order, raw samples kept, resumable."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from runtime.bundle import Bundle
from runtime.device.setting import Setting
from runtime.flow.opening import open_session
from runtime.measure.bench.block import measure_block
from runtime.measure.bench.kept import KeptBlocks
from runtime.measure.bench.plan import BenchJob, BenchPlan, order
from runtime.measure.origin import machine_text, origin, origin_of
from runtime.measure.records import Record, RecordLog
from runtime.targets import Target

Progress = Callable[[int, int, Record], None]  # blocks done, blocks in all, the latest record
OnStep = Callable[[str], None]  # what begins now
OnMessage = Callable[[str], None]  # what one must know of the result


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
    again: bool = False,
    with_unstable: bool = False,
    log: RecordLog,
    progress: Progress | None = None,
    on_step: OnStep = lambda text: None,
    on_message: OnMessage = lambda text: None,
) -> list[Record]:
    """Measure every variant under every setting and return the records, in the order they ran.

    Each block visits all (variant, setting) once, in an order shuffled by ``seed``, so that drift
    of the machine spreads over all of them. Every finished block is in ``log`` before the next
    one starts. What ``log`` already has is not measured again: stable blocks of the same file, setting,
    runs, warmup, pace and limit of heat that this very machine made, with the kernel, engine and meter it
    has now. A record that does not tell one of them is measured again.

    A modelled target gives one sample, the same each time, so one block is enough and no engine runs.

    Args:
        settings: default: all the target offers with ``threads``.
        variants: names; default: all of the bundle.
        runs, warmup, blocks, seed, fps, max_temp_c, cool_down_s, retries: see ``BenchPlan``.
        again: measure every block, whatever ``log`` has; records of other machines are moved to a file
            beside it.
        with_unstable: an unstable block of ``log`` is kept, too.
        progress: called after each block with (done, total, record).
        on_step: called before each block that is measured, and when it waits for a hot machine.
        on_message: called with how many blocks are kept, of when and from where, and which are not.

    Raises:
        ValueError: an unknown variant or setting, or counts below 1.
        DeviceTransientError: another bench writes to ``log``.
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
    if again and jobs and not is_modelled:
        _set_others_aside(log, target, jobs[0], on_message)
    with log.alone():
        kept = KeptBlocks(() if again else log, target, plan, with_unstable=with_unstable)
        known = [kept.find(job) for job in jobs]
        for text in kept.messages():
            on_message(text)
        return run_jobs(jobs, target, plan, [log] * len(jobs), known, progress, on_step)


def _set_others_aside(log: RecordLog, target: Target, job: BenchJob, on_message: OnMessage) -> None:
    """Move records that another machine made, or one that they do not name, out of the way."""
    with log.alone():
        others = {origin_of(record).machine for record in log if record.target == target.name}
        if not others:
            return
        with open_session(target, job.bundle, job.variant, job.setting) as session:
            machine = origin(session.device, session.versions, None).machine
        moved, path = log.set_aside(lambda r: r.target == target.name and origin_of(r).machine != machine)
    if moved:
        named = " and ".join(machine_text(other) for other in sorted(others - {machine}))
        on_message(f"{moved} records of {named} are now in {path}")


def run_jobs(
    jobs: Sequence[BenchJob],
    target: Target,
    plan: BenchPlan,
    logs: Sequence[RecordLog],
    known: Sequence[Record | None] = (),
    progress: Progress | None = None,
    on_step: OnStep = lambda text: None,
) -> list[Record]:
    """Run ``jobs`` one after the other and return the record of each.

    Args:
        logs: for each job, where its records are kept.
        known: for each job the record that stands for it, ``None`` where it is measured; none: all are.
        progress, on_step: see ``bench``.
    """
    run = uuid.uuid4().hex[:12]
    records: list[Record] = []
    for job, log, record in zip(jobs, logs, known or [None] * len(jobs), strict=True):
        if record is None:
            mine = (job.bundle.sha256(job.variant.path), job.variant.name, job.setting, "stable")
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
