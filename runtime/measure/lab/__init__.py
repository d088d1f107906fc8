"""The lab: many targets, bundles and settings measured in one run that survives what goes wrong."""

from runtime.measure.lab.executor import Executor
from runtime.measure.lab.jobs import LabJob, LabOutcome, run_job
from runtime.measure.lab.plan import LabPlan, load_plan
from runtime.measure.lab.run import LabResult, plan_jobs, run_lab
from runtime.measure.lab.schedule import Schedule
from runtime.measure.lab.state import JobState, read_states
from runtime.measure.lab.summary import SummaryRow, summarise_lab

__all__ = [
    "Executor",
    "JobState",
    "LabJob",
    "LabOutcome",
    "LabPlan",
    "LabResult",
    "Schedule",
    "SummaryRow",
    "load_plan",
    "plan_jobs",
    "read_states",
    "run_job",
    "run_lab",
    "summarise_lab",
]
