"""EMA: what is tested and kept is a moving average of the weights.

Paper: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992, in the form
of Tarvainen and Valpola, https://arxiv.org/abs/1703.01780, equation 2: w' <- a * w' + (1 - a) * w after
every step. Batch norm's running statistics are averaged too. As TensorFlow does, a starts at
(1 + t) / (10 + t) in step t, so that the random first weights are soon forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from edgekit.training.hooks import Hook, Training
from edgekit.training.technique import Technique, register_technique


@register_technique("ema")
class Average(Technique):
    """Averages weights.

    Args:
        decay: a, from 0 (the last weights alone) to below 1.

    Raises:
        ValueError: ``decay`` is out of range.
    """

    def __init__(self, decay: float = 0.999):
        if not 0 <= decay < 1:
            raise ValueError(f"ema: decay is {decay}; it must be from 0 to below 1")
        self.decay = decay

    def hooks(self) -> Sequence[Hook]:
        return (_MovingAverage(self.decay),)


class _MovingAverage(Hook):
    """Between epochs the model holds the averages; during one, the weights that learn."""

    def __init__(self, decay: float):
        self.decay = decay
        self.weights: dict[str, Tensor] = {}  # the model's own tensors
        self.averages: dict[str, Tensor] = {}
        self.learning: dict[str, Tensor] = {}

    def on_train_begin(self, run: Training) -> None:
        self.weights = _averaged(run.model)
        self.averages, self.learning = _copied(self.weights), _copied(self.weights)

    def on_epoch_begin(self, run: Training) -> None:
        _fill(self.weights, self.learning)

    def on_step_end(self, run: Training) -> None:
        decay = min(self.decay, (1 + run.step) / (10 + run.step))
        torch._foreach_lerp_(list(self.averages.values()), list(self.weights.values()), 1 - decay)

    def on_epoch_end(self, run: Training) -> None:
        _fill(self.learning, self.weights)
        _fill(self.weights, self.averages)

    def state_dict(self) -> dict[str, Tensor]:
        return _below("average/", self.averages) | _below("learning/", self.learning)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        _fill(self.averages, {name: state[f"average/{name}"] for name in self.averages})
        _fill(self.learning, {name: state[f"learning/{name}"] for name in self.learning})


def _averaged(model: nn.Module) -> dict[str, Tensor]:
    """Return the parameters, and batch norm's running statistics."""
    found = {name: parameter.detach() for name, parameter in model.named_parameters()}
    for path, module in model.named_modules():
        if isinstance(module, _BatchNorm) and module.running_mean is not None:
            found |= {f"{path}.running_mean": module.running_mean, f"{path}.running_var": module.running_var}
    return found


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}


def _fill(tensors: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        tensor.copy_(values[name])


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}
