"""The lab: many targets, bundles and settings measured in one run that survives what goes wrong."""

from runtime.lab.executor import Executor, InlineExecutor
from runtime.lab.jobs import Job, Outcome, run_job
from runtime.lab.plan import LabPlan, load_plan
from runtime.lab.run import LabResult, plan_jobs, run_lab
from runtime.lab.schedule import Schedule
from runtime.lab.state import JobState, read_states
from runtime.lab.summary import SummaryRow, summarise_lab

__all__ = [
    "Executor",
    "InlineExecutor",
    "Job",
    "JobState",
    "LabPlan",
    "LabResult",
    "Outcome",
    "Schedule",
    "SummaryRow",
    "load_plan",
    "plan_jobs",
    "read_states",
    "run_job",
    "run_lab",
    "summarise_lab",
]
