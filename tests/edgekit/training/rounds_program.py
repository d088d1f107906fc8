"""A training in rounds, for tests; as a program it kills itself within the second one.

``python -m tests.edgekit.training.rounds_program FOLDER``
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from edgekit.data import Dataset, Split
from edgekit.tasks import Classification, Round
from edgekit.training import Hook, Recipe, Trainer
from tests.edgekit.training.nets import tiny_net
from tests.edgekit.training.two_processes import dataset

RECIPE = Recipe(epochs=6, batch_size=16, device="cpu", temperature_epochs=0, lr=0.05, warmup_epochs=0)
UNKNOWN = -100


@dataclass(frozen=True)
class SelfTraining(Classification):
    """Learns the labels that there are, then those that the network is sure of."""

    name: ClassVar[str] = "self-training"
    begins: Sequence[int] = (2, 4)
    sure: float = 0.6

    def rounds(self, epochs: int) -> Sequence[int]:
        return self.begins

    def relabel(self, net: nn.Module, split: Split, rng: np.random.Generator) -> Round:
        inputs, labels = split.batch(np.arange(len(split)))
        shares, found = net(torch.from_numpy(inputs)).softmax(1).max(1)
        known = labels != UNKNOWN
        # A few are left out by lot: what is drawn must be the same in a run that is resumed.
        kept = known | ((shares.numpy() > self.sure) & (rng.random(len(split)) < 0.9))
        return Round(np.flatnonzero(kept), np.where(known, labels, found.numpy())[kept])


def half_labelled() -> Dataset:
    """Return toy data with a label for every fourth pair of training images."""
    data = dataset()
    labels = data.train.labels.copy()
    labels[np.arange(len(labels)) // 2 % 4 != 0] = UNKNOWN
    return replace(data, train=replace(data.train, labels=labels))


def fit(folder: Path, data: Dataset, *hooks: Hook, rounds: Sequence[int] = (2, 4), resume: bool = False):
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    trainer = Trainer(tiny_net(), RECIPE, hooks or (Hook(),), SelfTraining(begins=rounds))
    log = trainer.fit(data, folder, identity={}, resume=resume, progress=False)
    return trainer.model, log


class Kill(Hook):
    def on_step_end(self, run) -> None:
        if run.epoch == 3 and run.step % run.steps_per_epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    fit(Path(sys.argv[1]), half_labelled(), Kill())
