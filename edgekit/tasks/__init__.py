"""Tasks: what a network is for, as one object each."""

from edgekit.tasks.catalogue import TaskInfo, describe_tasks
from edgekit.tasks.classification import Classification
from edgekit.tasks.face_parsing import FaceParsing
from edgekit.tasks.graph import Examples, Frame, SourceGraph, as_tensors
from edgekit.tasks.melody import Melody
from edgekit.tasks.options import make_named, read_named
from edgekit.tasks.score_names import with_metric, with_scores
from edgekit.tasks.stored import StoredTask, named_task, smoothed, stored_task, task_of
from edgekit.tasks.task import TASKS, Batch, Net, Player, Round, Task, check_backbone, total

__all__ = [
    "TASKS",
    "Batch",
    "Classification",
    "Examples",
    "FaceParsing",
    "Frame",
    "Melody",
    "Net",
    "Player",
    "Round",
    "SourceGraph",
    "StoredTask",
    "Task",
    "TaskInfo",
    "as_tensors",
    "check_backbone",
    "describe_tasks",
    "make_named",
    "named_task",
    "read_named",
    "smoothed",
    "stored_task",
    "task_of",
    "total",
    "with_metric",
    "with_scores",
]
