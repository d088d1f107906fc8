"""Sweeps: many trainings as a plan says, side by side on Ray, and one table of what came out."""

from edgekit.sweep.jobs import JobResult, SweepJob
from edgekit.sweep.plan import SweepPlan, load_sweep
from edgekit.sweep.run import SweepResult, run_sweep
from edgekit.sweep.table import SweepRow, tabulate

__all__ = [
    "JobResult",
    "SweepJob",
    "SweepPlan",
    "SweepResult",
    "SweepRow",
    "load_sweep",
    "run_sweep",
    "tabulate",
]
