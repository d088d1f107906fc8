"""Hooks: methods that act during training, kept apart from the loop.

Order in a run: ``prepare`` (before the optimizer is made), ``on_train_begin``, then for each epoch
``on_epoch_begin``, for each step ``on_step_begin``, ``on_backward_end`` and ``on_step_end``, then
``on_epoch_end`` and ``metrics`` (before the test), and at last ``finalize``. A resumed run calls
``load_state_dict`` right after ``on_train_begin``.

A run that was interrupted continues, after its last whole epoch, as if it had not been. So what a
hook does must follow from the epoch, the step, the model and what its ``state_dict`` holds; what it
draws at random comes from a generator of its own, seeded by the recipe's seed and ``run.step``. Then
it also is the same in all processes of a DDP run, and leaves dropout's random numbers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from edgekit.data import Dataset
from edgekit.nn import TemperatureSchedule, set_temperature
from edgekit.tasks import Task
from edgekit.training.recipe import Recipe


class Training(Protocol):
    """What a hook or an objective sees of the run that calls it; see ``Trainer``.

    Attributes:
        model: the plain module, on its device and never wrapped: hooks may change its tensors.
        optimizer: its optimizer, of a task with players that of the one whose turn it is; a learning rate set
            in ``on_step_begin`` holds for that step.
        recipe, task, dataset: what it is trained by, for and on.
        epoch, step: the epoch and the step that run, counted from 0; steps over all epochs.
        steps_per_epoch: steps of one epoch.
        device: where the model is.
        folder: where the run writes.
    """

    model: nn.Module
    optimizer: Optimizer
    recipe: Recipe
    task: Task
    dataset: Dataset
    epoch: int
    step: int
    steps_per_epoch: int
    device: torch.device
    folder: Path

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the model's outputs as training needs them: in its precision, joined by DDP."""
        ...

    def clip(self, norm: float) -> None:
        """Shorten the gradients, all together, to an L2 norm of at most ``norm``."""
        ...

    def trained(self) -> nn.Module:
        """Return the model that is trained, without what techniques put around it."""
        ...

    def stop(self) -> None:
        """End the training after the epoch that runs; before the first one: without any."""
        ...


class Hook:
    """Does nothing; override what you need."""

    def prepare(self, model: nn.Module) -> None:
        """Add parameters or buffers that are trained and stored with the model."""

    def on_train_begin(self, run: Training) -> None:
        """Look at the model and the recipe; ``run.epoch`` is the first epoch to run."""

    def on_epoch_begin(self, run: Training) -> None:
        """Act before the first step of ``run.epoch``."""

    def on_step_begin(self, run: Training) -> None:
        """Act before the forward pass, as masks do; the step's learning rate is set already."""

    def on_backward_end(self, run: Training) -> None:
        """Change gradients before the optimizer uses them."""

    def on_step_end(self, run: Training) -> None:
        """Change weights after the optimizer changed them."""

    def on_epoch_end(self, run: Training) -> None:
        """Act after the last step of ``run.epoch``, before the test."""

    def metrics(self, run: Training) -> dict[str, float]:
        """Return figures of ``run.epoch`` for the log."""
        return {}

    def finalize(self, run: Training) -> None:
        """Act once after the last epoch."""

    def state_dict(self) -> dict[str, Tensor]:
        """Return what must survive an interruption; it is stored after every epoch."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take up what ``state_dict`` returned; the tensors are on the CPU."""


class EndAtOnce(Hook):
    """Ends the training before its first epoch: what other hooks do at its begin and end still happens."""

    def on_train_begin(self, run: Training) -> None:
        run.stop()


class TemperatureAnnealing(Hook):
    """Lower the temperature of dynamic convolutions from 30 to 1 over the first epochs (1912.03458)."""

    def __init__(self, schedule: TemperatureSchedule):
        self.schedule = schedule

    def on_epoch_begin(self, run: Training) -> None:
        set_temperature(run.model, self.schedule.value(run.epoch))
