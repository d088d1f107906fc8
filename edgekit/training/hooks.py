"""Hooks: methods that act during training, kept apart from the loop.

Order in a run: ``on_train_begin``, then for each epoch ``on_epoch_begin``, for each step
``on_backward_end`` and ``on_step_end``, then ``on_epoch_end`` (before the test), and at last
``finalize``. A hook's action must follow from the epoch and the model alone, so that a run that
was interrupted continues as if it had not been.
"""

from __future__ import annotations

from typing import Protocol

from torch import nn
from torch.optim import Optimizer

from edgekit.nn import TemperatureSchedule, set_temperature
from edgekit.training.recipe import Recipe


class Training(Protocol):
    """What a hook sees of the run that calls it; see ``Trainer``.

    Attributes:
        model: the plain module, on its device and never wrapped: hooks may change it.
        optimizer: its optimizer.
        recipe: what it is trained by.
        epoch: the epoch that runs, counted from 0.
    """

    model: nn.Module
    optimizer: Optimizer
    recipe: Recipe
    epoch: int


class Hook:
    """Does nothing; override what you need."""

    def on_train_begin(self, run: Training) -> None:
        """Look at the model and the recipe; ``run.epoch`` is the first epoch to run."""

    def on_epoch_begin(self, run: Training) -> None:
        """Act before the first step of ``run.epoch``."""

    def on_backward_end(self, run: Training) -> None:
        """Change gradients before the optimizer uses them."""

    def on_step_end(self, run: Training) -> None:
        """Change weights after the optimizer changed them."""

    def on_epoch_end(self, run: Training) -> None:
        """Act after the last step of ``run.epoch``, before the test."""

    def finalize(self, run: Training) -> None:
        """Act once after the last epoch."""


class TemperatureAnnealing(Hook):
    """Lower the temperature of dynamic convolutions from 30 to 1 over the first epochs (1912.03458)."""

    def __init__(self, schedule: TemperatureSchedule):
        self.schedule = schedule

    def on_epoch_begin(self, run: Training) -> None:
        set_temperature(run.model, self.schedule.value(run.epoch))
