"""Tasks that are trained in two processes, for tests; what is spoiled is so in the second one alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from edgekit.data import Dataset
from edgekit.tasks import Classification, Task
from tests.edgekit.training.nets import tiny_net
from tests.edgekit.training.players import Duel, Pair
from tests.edgekit.training.rounds_program import SelfTraining, half_labelled


@dataclass(frozen=True)
class Spoilt(Classification):
    """A second loss that is no number where ``spoil``."""

    name: ClassVar[str] = "spoilt"
    spoil: bool = False

    def losses(self, net, batch):
        losses = super().losses(net, batch)
        odd = losses["cross_entropy"].detach() * 0
        return {**losses, "odd": odd + torch.nan if self.spoil else odd}


def make_task(name: str, data: Dataset) -> tuple[Task, nn.Module, Dataset]:
    """Return the task, its network and its data."""
    is_second = os.environ.get("LOCAL_RANK", "0") == "1"
    torch.manual_seed(0)
    if name == "rounds":
        return SelfTraining(begins=(1,)), tiny_net(), half_labelled()
    if name.startswith("duel"):
        return Duel(spoil=is_second and name == "duel-spoilt"), Pair(), data
    return Spoilt(spoil=is_second), tiny_net(), data
