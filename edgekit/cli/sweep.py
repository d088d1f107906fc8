"""``edgekit sweep``: many trainings as a plan says, and one table."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._options import output_options
from edgekit.cli._output import note, print_json, print_table
from edgekit.cli._progress import Steps
from edgekit.cli._sweep import print_rows


@click.command()
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only print the jobs.")
@output_options
def sweep(plan: Path, dry_run: bool, as_json: bool) -> None:
    """Train what PLAN, a YAML file, says on Ray; run it again to go on: nothing finished is repeated.

    Every combination of the grid and the variants is a row, trained with every seed. Exit status 0: all
    jobs are done; 1: some are not; 130: interrupted.

    \b
    Example of a plan:
      recipe: digits-small.yaml    # or its keys: {model: resnet20, data: digits}
      grid: {width: [0.25, 0.5]}
      variants:
        plain: {}
        averaged: {use: {ema: {decay: 0.99}}}
      control: {variant: plain}
      seeds: [0, 1, 2]
      workers: 2
    """
    with Steps() as steps:
        steps.wait_for("loading PyTorch and reading the plan")
        from edgekit.sweep import load_sweep, run_sweep

        the_plan = load_sweep(plan)
        jobs = the_plan.jobs()
        if not dry_run:
            steps.wait_for(f"training; {len(jobs)} jobs in all")
            result = run_sweep(the_plan, progress=lambda job, result: steps.done(told(job, result)))
    if dry_run:
        rows = [[*job.row.values(), job.seed, job.key] for job in jobs]
        print_json(jobs) if as_json else print_table([*jobs[0].row, "seed", "folder"], rows)
        return
    print_json(result) if as_json else print_rows(result.rows, the_plan.metric)
    for row in result.rows:
        for error in row.errors:
            note(f"{', '.join(map(str, row.row.values()))}: {error}")
    note(f"summary: {result.summary_path}" + ("" if result.is_complete else "; run it again to go on"))
    if not result.is_complete:
        raise SystemExit(130 if result.was_interrupted else 1)


def told(job, result) -> str:
    """Return how a job ended, in one line."""
    name = ", ".join([*map(str, job.row.values()), f"seed {job.seed}"])
    if result.error:
        return f"{name}: failed"
    return f"{name}: {result.duration_s:.0f} s" + (", after it was stopped" if result.was_stopped else "")
