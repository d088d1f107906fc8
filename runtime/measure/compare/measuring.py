"""Measure two bundles in one run, so that whatever slows the machine slows both."""

from __future__ import annotations

import random
from collections.abc import Sequence

from runtime.bundle import Bundle, Variant
from runtime.device.setting import Setting
from runtime.measure.bench.plan import BenchJob, BenchPlan
from runtime.measure.bench.run import OnStep, Progress, run_jobs
from runtime.measure.records import Record, RecordLog
from runtime.targets import Target


def measure_both(
    a: Bundle,
    b: Bundle,
    target: Target,
    *,
    variants: Sequence[tuple[str, str]],
    settings: Sequence[Setting],
    plan: BenchPlan,
    logs: tuple[RecordLog, RecordLog],
    progress: Progress | None = None,
    on_step: OnStep = lambda text: None,
) -> tuple[list[Record], list[Record]]:
    """Measure A and B next to each other in every block and return the records of each.

    Args:
        variants: names (of A, of B) to compare.
        logs: where the records of A and of B are kept; each is written as it is measured.
        progress, on_step: see ``bench``.

    Raises:
        ValueError: an unknown variant or setting.
        DeviceTransientError: another bench writes to ``logs``.
        DeviceError, PermissionNeeded: the target cannot do it; finished blocks are in ``logs``.
    """
    chosen = [(a.manifest.variant(of_a), b.manifest.variant(of_b)) for of_a, of_b in variants]
    blocks = 1 if target.is_modelled else plan.blocks
    jobs = _order((a, b), chosen, settings, blocks, plan.seed)
    ordered = [job for job, _ in jobs]
    with logs[0].alone(), logs[1].alone():
        records = run_jobs(
            ordered, target, plan, [logs[side] for _, side in jobs], progress=progress, on_step=on_step
        )
    found: tuple[list[Record], list[Record]] = ([], [])
    for (_, side), record in zip(jobs, records, strict=True):
        found[side].append(record)
    return found


def shared_variants(
    a: Bundle, b: Bundle, of_a: str | None = None, of_b: str | None = None
) -> list[tuple[str, str]]:
    """Return the pairs of variants to compare: those named, else all that share a name.

    Raises:
        ValueError: no such variant, or none is shared.
    """
    names_a, names_b = ([variant.name for variant in bundle.manifest.variants] for bundle in (a, b))
    if of_a is not None or of_b is not None:
        pair = (of_a or of_b or "", of_b or of_a or "")
        a.manifest.variant(pair[0]), b.manifest.variant(pair[1])
        return [pair]
    if len(names_a) == len(names_b) == 1:
        return [(names_a[0], names_b[0])]
    shared = [(name, name) for name in names_a if name in names_b]
    if not shared:
        raise ValueError(
            f"A has {', '.join(names_a)}; B has {', '.join(names_b)}; none is in both: "
            "name one of each with --variant and --b-variant"
        )
    return shared


def _order(
    bundles: tuple[Bundle, Bundle],
    variants: Sequence[tuple[Variant, Variant]],
    settings: Sequence[Setting],
    blocks: int,
    seed: int,
) -> list[tuple[BenchJob, int]]:
    """Return jobs with the side each belongs to: pairs shuffled in a block, and sides in a pair."""
    jobs = []
    for block in range(blocks):
        rng = random.Random(f"{seed}/{block}")
        places = [(pair, setting) for pair in variants for setting in settings]
        rng.shuffle(places)
        for pair, setting in places:
            sides = [0, 1]
            rng.shuffle(sides)
            jobs += [(BenchJob(bundles[side], pair[side], setting, block), side) for side in sides]
    return jobs
