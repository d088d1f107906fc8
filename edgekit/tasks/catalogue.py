"""What tasks there are."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import msgspec

from edgekit.tasks.stored import SMOOTHING
from edgekit.tasks.task import TASKS


@dataclass(frozen=True)
class TaskInfo:
    """A task that networks can be trained for.

    Attributes:
        takes, gives: what goes into a frame, and what comes out.
        metric: of its score.
        paper: where it is from, a link.
        data: names of datasets, or other words for what it is trained on.
        minutes: that a small network takes to train on two CPU cores; ``None``: not known.
        options: with their defaults, as ``edgekit train --task NAME:OPTION=VALUE`` takes them.
    """

    name: str
    takes: str
    gives: str
    metric: str
    paper: str
    data: str
    minutes: float | None = None
    options: dict[str, Any] = field(default_factory=dict)


def describe_tasks(pattern: str = "*") -> list[TaskInfo]:
    """Return the tasks whose names match a shell ``pattern``, sorted by name.

    Raises:
        ValueError: no task matches.

    Example:
        >>> describe_tasks("face*")[0].takes
        'a picture and a box'
    """
    return [_describe(name) for name in TASKS.matching(pattern)]


def _describe(name: str) -> TaskInfo:
    made = TASKS.get(name)
    says = {one: getattr(made, one, "") for one in ("takes", "gives", "metric", "paper", "data")}
    minutes = getattr(made, "minutes", None)
    options = {
        option: _plain(one.default)
        for option, one in inspect.signature(made).parameters.items()
        if option != SMOOTHING  # the recipe's
    }
    return TaskInfo(name, **says, minutes=minutes, options=options)


def _plain(default: object) -> Any:
    """Return a default ready for JSON; ``None`` where there is none, or it is made anew each time."""
    try:
        return msgspec.to_builtins(default)
    except TypeError:
        return None
