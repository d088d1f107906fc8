"""The optimizer of a recipe, and its buffers after an interruption."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from edgekit.tasks import Player
from edgekit.training.recipe import Recipe
from runtime.errors import CheckpointError, TrainingError


def build_optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """Return the recipe's optimizer; vectors (biases, normalisation) get no weight decay.

    Raises:
        TrainingError: there is nothing to train.
    """
    return _optimizer(trained_parameters(model), recipe, {})


def player_optimizer(player: Player, recipe: Recipe) -> Optimizer:
    """Return a player's optimizer: the recipe's, but for what the player says.

    Raises:
        TrainingError: the player has nothing to train.
        ValueError: it has an option that its optimizer does not take.
    """
    parameters = [parameter for parameter in player.parameters if parameter.requires_grad]
    if not parameters:
        raise TrainingError(
            f"player {player.name!r} has no parameter that is trained; give it some with requires_grad=True"
        )
    changed = replace(recipe, optimizer=player.optimizer or recipe.optimizer)
    try:
        return _optimizer(parameters, changed, dict(player.options or {}))
    except TypeError as err:
        raise ValueError(
            f"player {player.name!r} has options {dict(player.options or {})}, and {changed.optimizer} does "
            f"not take them ({err}); correct them"
        ) from err


def _optimizer(parameters: list[nn.Parameter], recipe: Recipe, options: dict[str, Any]) -> Optimizer:
    weight_decay = options.pop("weight_decay", recipe.weight_decay)
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr, fused=True, **options)
    momentum = options.pop("momentum", recipe.momentum)
    return torch.optim.SGD(
        groups, lr=recipe.lr, momentum=momentum, nesterov=momentum > 0, fused=True, **options
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
