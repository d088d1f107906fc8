"""Run a sweep: what is finished is not repeated, what was killed goes on, what is new is trained."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edgekit.sweep.jobs import JobResult, SweepJob, run_job, stored_result
from edgekit.sweep.plan import SweepPlan
from edgekit.sweep.table import SweepRow, tabulate
from runtime._version import __version__
from runtime.bundle import write_atomic
from runtime.measure.lab.ray_cluster import open_ray
from runtime.measure.lab.state import only_run

SUMMARY_FILE = "summary.json"
_RETRIES = 2  # of a job whose process died, such as one killed for its memory

Outcomes = Iterator[tuple[SweepJob, JobResult]]
Executor = Callable[[SweepPlan, Sequence[SweepJob]], Outcomes]
"""Runs jobs in whatever order, and yields each with its result as it ends."""


@dataclass(frozen=True)
class SweepResult:
    """The table; ``is_complete``: every job is done. ``summary_path``: the table as JSON."""

    rows: tuple[SweepRow, ...]
    is_complete: bool
    was_interrupted: bool
    summary_path: Path


def run_sweep(
    plan: SweepPlan,
    execute: Executor | None = None,
    *,
    progress: Callable[[SweepJob, JobResult], None] | None = None,
) -> SweepResult:
    """Train all that ``plan`` says and return the table; run it again to go on.

    Args:
        execute: who runs jobs; default: Ray.
        progress: called after each job.

    Raises:
        ValueError: a row is no recipe, or the metric is unknown.
        DeviceError: another sweep uses the plan's folder, or there is no Ray cluster where it should be.

    Example:
        >>> result = run_sweep(load_sweep("sweep.yaml"))                    # doctest: +SKIP
        >>> [(row.row, row.mean, row.verdict) for row in result.rows]       # doctest: +SKIP
    """
    jobs = plan.jobs()
    was_interrupted = False
    with only_run(plan.out, "edgekit sweep"):
        results = {job.key: stored_result(folder_of(plan, job)) for job in jobs}
        # Two rows may come to the same training: it is done once.
        todo = list({job.key: job for job in jobs if results[job.key] is None}.values())
        try:
            for job, result in (execute or _on_ray)(plan, todo) if todo else ():
                results[job.key] = result
                if progress is not None:
                    progress(job, result)
        except KeyboardInterrupt:
            was_interrupted = True
        rows = tabulate(plan, [(job, results[job.key]) for job in jobs])
        is_complete = all(row.n_done == row.n_jobs for row in rows)
        summary = {"edgekit": __version__, "metric": plan.metric, "is_complete": is_complete, "rows": rows}
        path = Path(plan.out) / SUMMARY_FILE
        write_atomic(path, msgspec.json.format(msgspec.json.encode(summary), indent=1))
    return SweepResult(tuple(rows), is_complete, was_interrupted, path)


def folder_of(plan: SweepPlan, job: SweepJob) -> Path:
    """Return where ``job`` is trained."""
    return Path(plan.out).absolute() / "jobs" / job.key


def run_here(plan: SweepPlan, jobs: Iterable[SweepJob]) -> Outcomes:
    """Run jobs one after the other in this process."""
    for job in jobs:
        yield job, run_job(job.recipe, str(folder_of(plan, job)))


def _on_ray(plan: SweepPlan, jobs: Sequence[SweepJob]) -> Outcomes:
    ray = open_ray(plan.ray_address, num_cpus=plan.workers or os.cpu_count() or 1)
    run = ray.remote(num_cpus=1, max_retries=_RETRIES)(_remote)
    where = os.getcwd()
    running: dict[Any, SweepJob] = {
        run.remote(job.recipe, str(folder_of(plan, job)), where): job for job in jobs
    }
    try:
        while running:
            (one,), _ = ray.wait(list(running), num_returns=1)
            yield running.pop(one), _result(ray, one)
    finally:
        for one in running:
            ray.cancel(one, force=True)  # its state is on the disk after every epoch
        ray.shutdown()


def _remote(recipe: dict[str, Any], folder: str, where: str) -> JobResult:
    import torch

    torch.set_num_threads(1)  # jobs are the parallel part
    with contextlib.suppress(OSError):  # a node without that folder: paths in the recipe are whole ones then
        os.chdir(where)
    return run_job(recipe, folder)


def _result(ray: Any, one: Any) -> JobResult:
    errors = ray.exceptions
    try:
        return ray.get(one)
    except errors.RayTaskError as err:
        return JobResult(error=f"unexpected {' '.join(str(err.cause or err).split())[-300:]}")
    except errors.RayError as err:
        return JobResult(error=f"the job's process died {_RETRIES + 1} times ({type(err).__name__})")
