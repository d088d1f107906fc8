"""Hooks: methods that act during training, kept apart from the loop.

Order in a run: ``on_train_begin``, then for each epoch ``on_epoch_begin``, for each step
``on_backward_end`` and ``on_step_end``, then ``on_epoch_end`` (before the test), and at last
``finalize``. A hook's action must follow from the epoch and the model alone, so that a run that
was interrupted continues as if it had not been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.nn import TemperatureSchedule, set_temperature

if TYPE_CHECKING:
    from edgekit.training.trainer import Trainer


class Hook:
    """Does nothing; override what you need."""

    def on_train_begin(self, trainer: Trainer) -> None:
        """Look at the model and the recipe; ``trainer.epoch`` is the first epoch to run."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Act before the first step of ``trainer.epoch``."""

    def on_backward_end(self, trainer: Trainer) -> None:
        """Change gradients before the optimizer uses them."""

    def on_step_end(self, trainer: Trainer) -> None:
        """Change weights after the optimizer changed them."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Act after the last step of ``trainer.epoch``, before the test."""

    def finalize(self, trainer: Trainer) -> None:
        """Act once after the last epoch."""


class TemperatureAnnealing(Hook):
    """Lower the temperature of dynamic convolutions from 30 to 1 over the first epochs (1912.03458)."""

    def __init__(self, schedule: TemperatureSchedule):
        self.schedule = schedule

    def on_epoch_begin(self, trainer: Trainer) -> None:
        set_temperature(trainer.model, self.schedule.value(trainer.epoch))
