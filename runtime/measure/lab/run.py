"""Run a lab: start jobs as targets come free, keep every record, and go on where an earlier run stopped."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime._version import __version__
from runtime.bundle import write_atomic
from runtime.device.actuators.signals import orderly_signals
from runtime.engines.model_file import open_bundle_or_model
from runtime.flow.frames import as_frames
from runtime.measure.bench import choose_variants
from runtime.measure.lab.executor import Executor, LabRecords
from runtime.measure.lab.jobs import LabJob, LabOutcome
from runtime.measure.lab.plan import LabPlan
from runtime.measure.lab.schedule import Schedule, Status
from runtime.measure.lab.state import only_run, write_states
from runtime.measure.lab.summary import SummaryRow, summarise_lab
from runtime.targets import TargetName

Progress = Callable[[LabJob, LabOutcome, Status], None]


@dataclass(frozen=True)
class LabResult:
    """What came out: a row per target, bundle and variant; ``is_complete``: every job is done."""

    rows: tuple[SummaryRow, ...]
    is_complete: bool
    was_interrupted: bool
    summary_path: Path


def plan_jobs(plan: LabPlan) -> tuple[list[LabJob], dict[tuple[str, str], str]]:
    """Return all jobs of a plan in order, and the sha256 of every (bundle, variant).

    Block after block, each visits all variants of all bundles in an order shuffled by the seed: what
    drifts over the hours then spreads over all of them.

    Raises:
        BundleError: a bundle cannot be opened; nothing is measured then.
        ValueError: a bundle has none of the plan's variants.
    """
    variants, hashes = [], {}
    shapes = {spec.path: spec.input_shapes for spec in plan.bundle_specs}
    for path in shapes:
        bundle = as_frames(open_bundle_or_model(path, tuple(shapes[path].items())), plan.variants)
        sha256 = {entry.path: entry.sha256 for entry in bundle.manifest.files}
        for name in choose_variants(bundle, plan.engines, plan.variants):
            variants.append((path, name))
            hashes[path, name] = sha256[bundle.manifest.variant(name).path]
    jobs = []
    for spec in plan.target_specs:
        is_modelled = TargetName.parse(spec.name).is_modelled
        for block in range(1 if is_modelled else plan.bench.blocks):
            visit = list(variants)
            random.Random(f"{plan.bench.seed}/{spec.name}/{block}").shuffle(visit)
            settings = spec.settings or plan.settings
            jobs += [
                LabJob(
                    spec.name, path, name, block, settings, plan.bench, spec.runners, spec.meter, shapes[path]
                )
                for path, name in visit
            ]
    return jobs, hashes


def run_lab(
    plan: LabPlan,
    open_executor: Callable[[LabRecords, Sequence[str]], Executor] | None = None,
    *,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> LabResult:
    """Run every job of ``plan`` and return what came out; run it again to go on.

    Args:
        open_executor: who runs jobs, from the records and the targets; default: Ray.
        progress: called after each job.

    Raises:
        BundleError, ValueError: the plan's bundles cannot be used; nothing was measured.
        DeviceError: another run uses the plan's folder, or Ray cannot be started.

    Example:
        >>> result = run_lab(load_plan("plan.yaml"))                    # doctest: +SKIP
        >>> result.is_complete                                          # doctest: +SKIP
    """
    jobs, hashes = plan_jobs(plan)
    records = LabRecords(plan.out)
    schedule = Schedule(jobs, plan.retry)
    was_interrupted = False
    with only_run(plan.out), orderly_signals():
        write_states(plan.out, schedule)
        executor = (open_executor or _open_ray(plan))(records, [spec.name for spec in plan.target_specs])
        try:
            while not schedule.is_finished:
                for job in schedule.start(clock()):
                    sha256 = hashes[job.bundle, job.variant]
                    log = records.log(job.target)
                    executor.start(job, [record for record in log if record.model_sha256 == sha256])
                for job, outcome in executor.wait(schedule.wait_s(clock())):
                    schedule.finish(job, outcome, clock())
                    write_states(plan.out, schedule)
                    if progress is not None:
                        progress(job, outcome, schedule.status[job.key])
        except KeyboardInterrupt:
            was_interrupted = True
        finally:
            executor.close()
            for job in jobs:
                if schedule.status[job.key].state == "running":
                    schedule.abandon(job)
            write_states(plan.out, schedule)
        rows = summarise_lab(jobs, schedule.status, hashes, records, plan.goal_fps)
        path = Path(plan.out) / "summary.json"
        summary = {"edgekit": __version__, "is_complete": schedule.is_complete, "rows": rows}
        write_atomic(path, msgspec.json.format(msgspec.json.encode(summary), indent=1))
    return LabResult(tuple(rows), schedule.is_complete, was_interrupted, path)


def _open_ray(plan: LabPlan) -> Callable[[LabRecords, Sequence[str]], Executor]:
    from runtime.measure.lab.ray_executor import RayExecutor

    return lambda records, targets: RayExecutor(records, targets, plan.ray_address)
