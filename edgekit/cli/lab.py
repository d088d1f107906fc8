"""``edgekit lab``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from edgekit.cli._lab import LabSteps, print_result
from edgekit.cli._options import output_options, table_options
from edgekit.cli._output import note, print_json, print_table

_plan_argument = click.argument("plan", type=click.Path(path_type=Path))


@click.group()
def lab() -> None:
    """Measure many bundles on many targets as a plan says."""


@lab.command()
@_plan_argument
@click.option("--dry-run", is_flag=True, help="Only print the jobs, in their order.")
@output_options
def run(plan: Path, dry_run: bool, as_json: bool) -> None:
    """Run the jobs of PLAN, a YAML file; run it again to go on where it stopped.

    A target does one job at a time. One that vanishes is tried again, then set aside; the others go
    on. Exit status 0: all jobs are done; 1: some are not; 130: interrupted.

    \b
    Example of a plan:
      targets: [local, "virtual:gs101", "ssh:pi@board"]
      bundles: [model.edgekit, {path: b.tflite, input_shapes: {x: [1, 9]}}]
      settings: {threads: [1, 2], every: 4}
      bench: {runs: 30, blocks: 3}
      goal_fps: 30
      out: results
    """
    from runtime.measure.lab import load_plan, plan_jobs, run_lab

    the_plan = load_plan(plan)
    if dry_run:
        jobs = [(job.target, Path(job.bundle).name, job.variant, job.block) for job in plan_jobs(the_plan)[0]]
        print_json(jobs) if as_json else print_table(("target", "bundle", "variant", "block"), jobs)
        return
    with LabSteps() as steps:
        result = run_lab(the_plan, progress=steps.ended)
    print_json(result) if as_json else print_result(result)
    for row in result.rows:
        if row.note:
            note(f"{row.target} {row.bundle} {row.variant}: {row.note}")
    note(f"summary: {result.summary_path}" + ("" if result.is_complete else "; run it again to go on"))
    if not result.is_complete:
        raise SystemExit(130 if result.was_interrupted else 1)


@lab.command()
@_plan_argument
@table_options
def status(plan: Path, as_json: bool) -> None:
    """Show where every job of PLAN stands, also while it runs."""
    from runtime.measure.lab import load_plan, read_states

    states = read_states(load_plan(plan).out)
    counts = Counter((one.target, one.state, one.reason) for one in states)
    rows = [(target, state, count, why) for (target, state, why), count in counts.items()]
    print_json(states) if as_json else print_table(("target", "state", "jobs", "why"), rows)
