"""``edgekit lab``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from edgekit.cli._options import json_option
from edgekit.cli._output import note, print_json, print_table

_COLUMNS = {
    "target": "target", "bundle": "bundle", "variant": "variant", "best setting": "setting",
    "by": "chosen_by", "ms": "latency_ms", "mJ": "energy_mj", "latency": "provenance", "verdict": "verdict",
    "settings": "n_settings", "unstable": "n_unstable", "done": "n_done", "of": "n_jobs",
}  # fmt: skip
_plan_argument = click.argument("plan", type=click.Path(path_type=Path))


@click.group()
def lab() -> None:
    """Measure many bundles on many targets as a plan says."""


@lab.command()
@_plan_argument
@click.option("--dry-run", is_flag=True, help="Only print the jobs, in their order.")
@json_option
def run(plan: Path, dry_run: bool, as_json: bool) -> None:
    """Run the jobs of PLAN, a YAML file; run it again to go on where it stopped.

    A target does one job at a time. One that vanishes is tried again, then set aside; the others go
    on. Exit status 0: all jobs are done; 1: some are not; 130: interrupted.
    """
    from runtime.measure.lab import load_plan, plan_jobs, run_lab

    the_plan = load_plan(plan)
    if dry_run:
        jobs = [(job.target, Path(job.bundle).name, job.variant, job.block) for job in plan_jobs(the_plan)[0]]
        print_json(jobs) if as_json else print_table(("target", "bundle", "variant", "block"), jobs)
        return
    result = run_lab(the_plan, progress=_show)
    cells = [[getattr(row, name) for name in _COLUMNS.values()] for row in result.rows]
    print_json(result) if as_json else print_table(list(_COLUMNS), cells)
    for row in result.rows:
        if row.note:
            note(f"{row.target} {row.bundle} {row.variant}: {row.note}")
    note(f"summary: {result.summary_path}" + ("" if result.is_complete else "; run it again to go on"))
    if not result.is_complete:
        raise SystemExit(130 if result.was_interrupted else 1)


@lab.command()
@_plan_argument
@json_option
def status(plan: Path, as_json: bool) -> None:
    """Show where every job of PLAN stands, also while it runs."""
    from runtime.measure.lab import load_plan, read_states

    states = read_states(load_plan(plan).out)
    counts = Counter((one.target, one.state, one.reason) for one in states)
    rows = [(target, state, count, why) for (target, state, why), count in counts.items()]
    print_json(states) if as_json else print_table(("target", "state", "jobs", "why"), rows)


def _show(job: Any, outcome: Any, now: Any) -> None:
    where = f"{job.target} {Path(job.bundle).name} {job.variant} block {job.block}"
    note(f"{where}: {now.state}" + (f": {outcome.reason}" if outcome.reason else ""))
