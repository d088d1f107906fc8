"""The table of a sweep: mean and deviation over seeds, and the difference to the control, seed by seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.sweep.jobs import JobResult, SweepJob
from edgekit.sweep.plan import SweepPlan

BETTER, WORSE, NOT_SHOWN = "better", "worse", "no difference shown"


@dataclass(frozen=True)
class SweepRow:
    """One row.

    Attributes:
        row: value by key.
        n_done, n_jobs: finished jobs, and all.
        mean, sd: of the metric over the seeds.
        difference, half_width: mean paired difference to the control, and half its 95 % interval.
        verdict: better or worse only where the interval excludes 0.
        macs, params, duration_s: means.
        errors: of jobs that failed, each once.
    """

    row: dict[str, Any]
    n_done: int
    n_jobs: int
    mean: float | None
    sd: float | None
    difference: float | None
    half_width: float | None
    verdict: str | None
    macs: float | None
    params: float | None
    duration_s: float | None
    errors: tuple[str, ...] = ()


def tabulate(plan: SweepPlan, results: Sequence[tuple[SweepJob, JobResult | None]]) -> list[SweepRow]:
    """Return the rows in the plan's order.

    Raises:
        ValueError: a finished job has no such metric; those it has are named.
    """
    values: dict[tuple[str, int], float] = {}
    for job, result in results:
        if result is not None and result.error is None:
            if plan.metric not in result.figures:
                known = ", ".join(sorted(result.figures))
                raise ValueError(f"metric is {plan.metric!r}, which no job has; choose from {known}")
            values[str(job.row), job.seed] = result.figures[plan.metric]
    rows = list({str(job.row): job.row for job, _ in results}.values())
    return [_row(plan, row, [r for job, r in results if job.row == row], values) for row in rows]


def _row(
    plan: SweepPlan,
    row: dict[str, Any],
    results: Sequence[JobResult | None],
    values: dict[tuple[str, int], float],
) -> SweepRow:
    done = [result for result in results if result is not None and result.error is None]
    own = [values[str(row), seed] for seed in plan.seeds if (str(row), seed) in values]
    control = plan.control_of(row) if plan.control else None
    pairs = [
        values[str(row), seed] - values[str(control), seed]
        for seed in plan.seeds
        if (str(row), seed) in values and (str(control), seed) in values
    ]
    half_width = interval(pairs)
    errors = dict.fromkeys(result.error for result in results if result is not None and result.error)
    return SweepRow(
        row=row,
        n_done=len(done),
        n_jobs=len(results),
        mean=_mean(own),
        sd=statistics.stdev(own) if len(own) > 1 else None,
        difference=_mean(pairs),
        half_width=half_width,
        verdict=None if half_width is None else verdict(statistics.mean(pairs), half_width),
        macs=_mean([result.figures["macs"] for result in done if "macs" in result.figures]),
        params=_mean([result.figures["params"] for result in done]),
        duration_s=_mean([result.duration_s for result in done]),
        errors=tuple(error for error in errors if error),
    )


def interval(differences: Sequence[float]) -> float | None:
    """Return half the 95 % interval of the mean, by Student's t; ``None`` for fewer than two."""
    if len(differences) < 2:
        return None
    from scipy.stats import t

    error = statistics.stdev(differences) / math.sqrt(len(differences))
    return float(t.ppf(0.975, len(differences) - 1)) * error


def verdict(difference: float, half_width: float) -> str:
    """Return what a difference and half its interval say."""
    if abs(difference) <= half_width:
        return NOT_SHOWN
    return BETTER if difference > 0 else WORSE


def _mean(numbers: Sequence[float]) -> float | None:
    return statistics.mean(numbers) if numbers else None
