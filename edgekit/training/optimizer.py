"""The optimizer of a recipe, and its buffers after an interruption."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim import Optimizer

from edgekit.training.recipe import Recipe
from runtime.errors import CheckpointError, TrainingError


def build_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimizer; vectors (biases, normalisation) get no weight decay.

    Raises:
        TrainingError: there is nothing to train.
    """
    parameters = trained_parameters(model)
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr, fused=True)
    return torch.optim.SGD(
        groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True
    )


def trained_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of ``model`` that are not frozen.

    Raises:
        TrainingError: there is none.
    """
    every = list(model.parameters())
    found = [parameter for parameter in every if parameter.requires_grad]
    if not found:
        frozen = f"all {len(every)} parameters of the network are frozen" if every else "the network has none"
        raise TrainingError(
            f"nothing can be trained: {frozen}; let some have requires_grad=True, such as the last layer's"
        )
    return found


def restore_optimizer(optimizer: Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put saved buffers, such as momentum, back into ``optimizer``."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for path, tensor in tensors.items():
        index, _, name = path.partition("/")
        if not (index.isascii() and index.isdecimal()):
            raise CheckpointError(f"the optimizer's state is damaged: it has a buffer {path!r}; train again")
        state.setdefault(int(index), {})[name] = tensor
    _lay_out_as(optimizer, state)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _lay_out_as(optimizer: Optimizer, state: dict[int, dict[str, torch.Tensor]]) -> None:
    """Give each buffer the memory layout of its weight: fused optimizers go through both side by side."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, buffers in state.items():
        for name, buffer in buffers.items():
            if index < len(parameters) and buffer.shape == parameters[index].shape:
                buffers[name] = torch.empty_like(parameters[index]).copy_(buffer).detach()
