"""The softmax temperature of dynamic convolutions, high at first and one in the end."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from edgekit.nn.dynamic_conv import START_TEMPERATURE, KernelAttention


@dataclass(frozen=True)
class TemperatureSchedule:
    """Temperature by epoch: linear from ``start`` to ``end`` over ``epochs``, then ``end``.

    Near-uniform attention in the first epochs is what lets all kernels learn (1912.03458).

    Raises:
        ValueError: a temperature that is not positive, or negative ``epochs``.

    Example:
        >>> TemperatureSchedule().value(0), TemperatureSchedule().value(10)
        (30.0, 1.0)
    """

    start: float = START_TEMPERATURE
    end: float = 1.0
    epochs: int = 10

    def __post_init__(self) -> None:
        if self.start <= 0 or self.end <= 0 or self.epochs < 0:
            raise ValueError(
                f"temperature from {self.start} to {self.end} over {self.epochs} epochs; "
                "temperatures must be above 0, epochs 0 or more"
            )

    def value(self, epoch: float) -> float:
        """Return the temperature at ``epoch``, counted from 0; fractions are allowed."""
        if epoch >= self.epochs:
            return self.end
        return self.start + (self.end - self.start) * max(0.0, epoch) / self.epochs


def set_temperature(model: nn.Module, temperature: float) -> int:
    """Set the temperature of every dynamic convolution in ``model``; return how many there are.

    Raises:
        ValueError: ``temperature`` is not positive.
    """
    if temperature <= 0:
        raise ValueError(f"temperature {temperature}; it must be above 0 (1 is what is exported)")
    attentions = [module for module in model.modules() if isinstance(module, KernelAttention)]
    for attention in attentions:
        attention.temperature.fill_(temperature)
    return len(attentions)
