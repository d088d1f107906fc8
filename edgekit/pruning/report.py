"""What a pruning did: cost and score before and after, and what to know before believing in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import torch
from torch import nn

from edgekit.data import Dataset
from edgekit.models import count_macs, count_parameters
from edgekit.pruning.latency import paired_latencies_ms
from edgekit.pruning.timing import LatencyResult
from edgekit.tasks import Task, with_metric
from edgekit.training.evaluation import evaluate

_DISAGREEMENT = 1.5
_NAMED = 3


@dataclass(frozen=True)
class Cost:
    """Multiply-accumulates, parameters, measured eager latency on one CPU thread, and the task's score."""

    macs: int
    params: int
    latency_ms: float
    test_score: float


@dataclass(frozen=True)
class PruningReport:
    """What a pruning did; stored in the checkpoint.

    Attributes:
        budget: what was asked: see ``Budget``.
        removed: channels that went, by the name of their group.
        kernels: kernels that were cut, with what they were cut to.
        left_out: groups that had to stay whole: name -> why.
        removed_score: the task's right after the removal, before fine-tuning.
        reestimated_score: the same with batch norm's statistics estimated anew; fine-tuning starts there.
            ``None``: they were left as they were.
        latency: how a budget of latency was met.
        constants: what the method says of its run, such as the constants it used.
        warnings: what to know before believing in a speed-up.
    """

    method: str
    options: dict[str, Any]
    budget: dict[str, Any]
    epochs: int
    finetune_epochs: int
    source_sha256: str | None
    removed: dict[str, int]
    kernels: dict[str, tuple[int, int]]
    left_out: dict[str, str]
    before: Cost
    after: Cost
    removed_score: float
    reestimated_score: float | None
    constants: dict[str, Any] = field(default_factory=dict)
    latency: LatencyResult | None = None
    warnings: tuple[str, ...] = ()

    def to_dict(self, metric: str) -> dict[str, Any]:
        """Return it ready for JSON; scores are called by the task's ``metric``: ``removed_top1``."""
        plain = msgspec.to_builtins(self)
        costs = {part: with_metric(plain[part], metric) for part in ("before", "after")}
        return with_metric({**plain, **costs}, metric)


def costs(models: Sequence[nn.Module], task: Task, dataset: Dataset, example: torch.Tensor) -> list[Cost]:
    """Return what each of ``models`` costs and scores; their latencies are measured in turns."""
    latencies_ms = paired_latencies_ms(models, example)
    return [
        Cost(
            macs=count_macs(model, tuple(example.shape[1:])),
            params=count_parameters(model),
            latency_ms=latency_ms,
            test_score=evaluate(model, dataset.test, task=task),
        )
        for model, latency_ms in zip(models, latencies_ms, strict=True)
    ]


def disagreements(before: Cost, after: Cost) -> tuple[str, ...]:
    """Return a warning when latency did not follow the multiply-accumulates, within a factor of 1.5."""
    mac_ratio = after.macs / before.macs
    latency_ratio = after.latency_ms / before.latency_ms
    if max(mac_ratio / latency_ratio, latency_ratio / mac_ratio) <= _DISAGREEMENT:
        return ()
    return (
        f"MACs fell to {mac_ratio:.0%} but eager latency to {latency_ratio:.0%}; "
        "do not take one for the other: measure the exported model with edgekit bench",
    )


def told(left_out: Mapping[str, str]) -> tuple[str, ...]:
    """Return a warning that names the groups which had to stay whole."""
    if not left_out:
        return ()
    named = [f"{name} ({reason})" for name, reason in list(left_out.items())[:_NAMED]]
    more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
    return (f"left whole: {'; '.join(named)}{more}",)
