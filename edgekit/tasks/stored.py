"""A task as a checkpoint stores it: its name and its options, from which it is made again."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import msgspec

from edgekit.tasks.classification import Classification
from edgekit.tasks.options import make_named, read_named
from edgekit.tasks.task import TASKS, Task

SMOOTHING = "label_smoothing"  # is the recipe's, whatever the task is


@dataclass(frozen=True)
class StoredTask:
    """What a network is for."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


def task_of(stored: StoredTask | None) -> Task:
    """Return the task that was stored.

    Raises:
        ValueError: nobody registered it, or it has other options.
    """
    return Classification() if stored is None else make_named(TASKS, stored.name, stored.options)


def named_task(text: str) -> Task:
    """Return the task that a command line or a recipe file names: ``face-parsing:roi=crop,margin=1.5``.

    Raises:
        ValueError: no such task or option, or it is not written so.
    """
    name, options = read_named(text, "task")
    if SMOOTHING in options:
        raise ValueError(f"{SMOOTHING} of {name!r} is the recipe's; write --label-smoothing, or its own line")
    return make_named(TASKS, name, options)


def stored_task(task: Task) -> StoredTask | None:
    """Return what to store of ``task``; of classification nothing, as in files of earlier versions."""
    if task.name == Classification.name:
        return None
    options = fields(task) if is_dataclass(task) else ()
    return StoredTask(
        task.name,
        {one.name: msgspec.to_builtins(getattr(task, one.name)) for one in options if one.name != SMOOTHING},
    )


def smoothed(task: Task, share: float) -> Task:
    """Return ``task`` with the recipe's label smoothing, where it has any."""
    has_it = is_dataclass(task) and any(one.name == SMOOTHING for one in fields(task))
    return replace(task, **{SMOOTHING: share}) if has_it else task
