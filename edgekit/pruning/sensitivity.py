"""Sensitivity scan: the score right after removing a share of one group's channels, group by group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from edgekit.data import Dataset
from edgekit.models.surgery.groups import ChannelGroup
from edgekit.models.surgery.plan import removable_channels
from edgekit.models.surgery.removal import physically_remove
from edgekit.pruning.filters import filter_norms, smallest
from edgekit.pruning.prunable import prunable_groups
from edgekit.pruning.report import told
from edgekit.pruning.start import from_checkpoint
from edgekit.tasks import Classification, Task, with_metric, with_scores
from edgekit.training.batch_norm import reestimate_batch_norm
from edgekit.training.checkpoint import Checkpoint
from edgekit.training.evaluation import evaluate
from edgekit.training.state import check_identity
from runtime.bundle import write_atomic
from runtime.bundle.decoding import read_json
from runtime.errors import CheckpointError, PruneError
from runtime.measure.lab.state import only_run

SCAN_FILE = "scan.json"
RATIOS = (0.25, 0.5, 0.75)
_EXAMPLES = 8


@dataclass(frozen=True)
class ScanCell:
    """One group without ``removed`` of its channels: those of least L1 norm.

    ``ratio`` is the share that was asked for, ``score`` the task's on the test split right after.
    """

    group: str
    ratio: float
    removed: int
    score: float


@dataclass(frozen=True)
class Scan:
    """What a network's score loses where.

    Attributes:
        model, dataset: what was scanned.
        score: of the whole network on the test split.
        channels: of each group, in the network's order.
        cells: those that are known; a ratio that removes nothing has none.
        warnings: what to know, such as groups that must stay whole.
        identity: all that decides a cell beside its group and ratio.
        metric: what the score is called.
    """

    model: str
    dataset: str
    score: float
    channels: dict[str, int]
    cells: tuple[ScanCell, ...] = ()
    warnings: tuple[str, ...] = ()
    identity: dict[str, Any] | None = None
    metric: str = Classification.metric

    @property
    def ratios(self) -> list[float]:
        """All shares that were tried, ascending."""
        return sorted({cell.ratio for cell in self.cells})

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON; scores are called by their metric."""
        plain = msgspec.to_builtins(self)
        cells = [with_metric(cell, self.metric) for cell in plain["cells"]]
        return with_metric({**plain, "cells": cells}, self.metric)

    def at(self, group: str, ratio: float) -> ScanCell | None:
        """Return the cell of ``group`` and ``ratio``, if there is one."""
        return next((cell for cell in self.cells if (cell.group, cell.ratio) == (group, ratio)), None)


def scan(
    checkpoint: Checkpoint,
    dataset: Dataset,
    out: str | Path,
    *,
    scope: str = "inside",
    ratios: Sequence[float] = RATIOS,
    round_to: int = 1,
    reestimate: bool = True,
    progress: Callable[[str], None] = lambda line: None,
) -> Scan:
    """Return the score without some channels of each group of ``checkpoint``, kept in the folder ``out``.

    Every cell is on the disk before the next begins: a scan that was killed goes on when it is started
    again, and more ratios add what is new.

    Args:
        scope: of groups: see ``Budget``.
        ratios: shares of a group's channels to remove.
        round_to: kept channels are rounded up to a multiple of this.
        reestimate: estimate batch norm's statistics anew after each removal.
        progress: called before each cell.

    Raises:
        ValueError: a ratio, the scope or ``round_to`` is out of range.
        CheckpointError: the checkpoint is damaged or not of this dataset, or ``out`` holds another scan.
        PruneError: nothing can be removed.
        DeviceTransientError: another scan writes to ``out``.

    Example:
        >>> found = scan(load_checkpoint("runs/digits"), digits, "runs/digits-scan")   # doctest: +SKIP
        >>> min(found.cells, key=lambda cell: cell.score).group                        # doctest: +SKIP
        'features.1.conv.0'
    """
    _check(ratios, round_to)
    start = from_checkpoint(checkpoint, dataset)
    dataset = start.task.view(dataset)
    examples = torch.from_numpy(dataset.test.batch(np.arange(min(_EXAMPLES, len(dataset.test))))[0])
    model = start.load().eval()
    groups, left_out = prunable_groups(model, scope, examples, start.spec.label)
    identity = {**start.identity, "scope": scope, "round_to": round_to, "reestimate": reestimate}
    todo = [
        (group, ratio, removed)
        for group in groups
        for ratio in sorted(set(ratios))
        if (removed := removable_channels(group.channels, ratio, round_to=round_to))
    ]
    if not todo:
        raise PruneError(
            f"no ratio of {list(ratios)} removes a channel with multiples of {round_to}; lower round_to"
        )
    path = Path(out) / SCAN_FILE
    with only_run(out, "edgekit prune --scan"):
        found = _stored(path, identity) or Scan(
            start.spec.label,
            dataset.name,
            evaluate(model, dataset.test, task=start.task),
            {group.name: group.channels for group in groups},
            warnings=told(left_out),
            identity=identity,
            metric=start.task.metric,
        )
        for number, (group, ratio, removed) in enumerate(todo, start=1):
            if found.at(group.name, ratio) is None:
                progress(
                    f"{number} of {len(todo)}: {group.name} without {removed} of {group.channels} channels"
                )
                score = _score_without(model, group, removed, examples, dataset, reestimate, start.task)
                found = replace(found, cells=(*found.cells, ScanCell(group.name, ratio, removed, score)))
                write_atomic(path, msgspec.json.format(msgspec.json.encode(found.to_dict()), indent=1))
    return found


def _check(ratios: Sequence[float], round_to: int) -> None:
    wrong = [ratio for ratio in ratios if not 0 < ratio < 1]
    if wrong or not ratios:
        raise ValueError(f"ratios are {list(ratios)}; give one or more, each above 0 and below 1")
    if round_to < 1:
        raise ValueError(f"round_to is {round_to}; it must be at least 1")


def _score_without(
    model: nn.Module,
    group: ChannelGroup,
    removed: int,
    examples: torch.Tensor,
    dataset: Dataset,
    reestimate: bool,
    task: Task,
) -> float:
    gone = smallest(filter_norms(model, group, 1), removed)
    compact = physically_remove(model, {group.name: gone}, examples)
    if reestimate:
        reestimate_batch_norm(compact, dataset.train)
    return evaluate(compact, dataset.test, task=task)


def _stored(path: Path, identity: dict[str, Any]) -> Scan | None:
    """Return what an earlier scan of the same left in ``path``.

    Raises:
        CheckpointError: it is damaged, or of another scan.
    """
    if not path.is_file():
        return None
    where, advice = f"{path} is no scan", "scan into another --out"
    raw = read_json(path, dict[str, Any], where=where, advice=advice, error=CheckpointError)
    metric = raw.get("metric", Classification.metric)
    cells = raw.get("cells", [])
    if not isinstance(metric, str) or not all(isinstance(cell, dict) for cell in cells):
        raise CheckpointError(f"{where} (its metric or its cells are damaged); {advice}")
    raw = with_scores({**raw, "cells": [with_scores(cell, metric) for cell in cells]}, metric)
    try:
        found = msgspec.convert(raw, Scan)
    except msgspec.ValidationError as err:
        raise CheckpointError(f"{where} ({err}); {advice}") from err
    check_identity(path.parent, found.identity or {}, identity)
    return found
