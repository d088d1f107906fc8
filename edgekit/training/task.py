"""A task: what the loss is and what counts as right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F


class Task(Protocol):
    """What the trainer asks of a task. ``metric`` names its score, which grows as a model improves."""

    metric: str

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of a batch, a scalar."""
        ...

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum over the batch of each example's score in [0, 1]."""
        ...


@dataclass(frozen=True)
class Classification:
    """One label per image; scored by top-1 accuracy."""

    label_smoothing: float = 0.0
    metric: str = "top1"

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of logits (B, classes) and labels (B,)."""
        return F.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return how many of the batch have their highest logit at the label."""
        return (outputs.argmax(1) == targets).sum(dtype=torch.float32)
