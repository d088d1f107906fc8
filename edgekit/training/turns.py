"""Whose turn it is within a step: the whole network's, or a task's players' one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, nn
from torch.optim import Optimizer

from edgekit.tasks import Batch, Player, Task
from edgekit.training.compiling import compiler_errors
from edgekit.training.optimizer import build_optimizer, player_optimizer
from edgekit.training.recipe import Recipe
from edgekit.training.technique import Technique


@dataclass
class Turn:
    """One optimizer's part in a step.

    Attributes:
        name: the player's; empty where the whole network is optimised at once.
        losses: what it minimises.
        every: it acts in every Nth step.
        lr: factor on the learning rate.
    """

    name: str
    optimizer: Optimizer
    losses: Callable[[Batch], Mapping[str, Tensor]]
    every: int = 1
    lr: float = 1.0

    def acts_in(self, step: int) -> bool:
        """Return whether it acts in ``step``, counted from 0."""
        return (step + 1) % self.every == 0


class PlayersNet(nn.Module):
    """The network as processes and precision wrap it: a call gives one player's losses.

    So all that a player computes, whichever parts it calls, is averaged over processes and in the recipe's
    precision.
    """

    def __init__(self, net: nn.Module, players: Sequence[Player]):
        super().__init__()
        self.net = net
        self.players = tuple(players)

    def forward(self, index: int, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of player ``index``."""
        return dict(self.players[index].losses(self.net, batch))


class Turns:
    """All turns of a step, on the recipe's device, in its precision and number of processes.

    Args:
        model: trained as it is; what is wrapped around it is kept here.
        players: of its task; none: all of it at once, by ``losses``.

    Attributes:
        every: the turns, in their order.
        current: whose turn it is.

    Raises:
        ValueError: the players, or the recipe, do not go together.
        TrainingError: there is nothing to train.
    """

    def __init__(
        self,
        model: nn.Module,
        players: Sequence[Player],
        recipe: Recipe,
        losses: Callable[[Batch], Mapping[str, Tensor]],
    ):
        how: dict[str, Any] = {}
        if players:
            _check(players, recipe)
            if recipe.devices > 1:  # a player's losses leave out what others train
                how["strategy"] = DDPStrategy(find_unused_parameters=True)
        # One process needs no strategy; more of them are Fabric's DDP.
        self.fabric = Fabric(
            accelerator=recipe.device, devices=recipe.devices, precision=recipe.precision, **how
        )
        self.fabric.launch()
        self._model, self._has_players, self._compiles = model, bool(players), recipe.compile
        if players:
            made = [player_optimizer(player, recipe) for player in players]
            self._wrapped, *made = self.fabric.setup(PlayersNet(model, players), *made)
            self.every = tuple(
                Turn(player.name, optimizer, partial(self._wrapped, index), player.every, player.lr)
                for index, (player, optimizer) in enumerate(zip(players, made, strict=True))
            )
        else:
            runs = torch.compile(model) if recipe.compile else model
            self._wrapped, optimizer = self.fabric.setup(runs, build_optimizer(model, recipe))
            self.every = (Turn("", optimizer, losses),)
        self.current = self.every[0]

    def forward(self, inputs: Any) -> Any:
        """Return the network's outputs as training needs them: in its precision, joined by DDP."""
        if self._has_players:
            with self.fabric.autocast():
                return self._model(inputs)
        with compiler_errors() if self._compiles else nullcontext():
            return self._wrapped(inputs)

    def clip(self, norm: float) -> None:
        """Shorten the gradients of whose turn it is, all together, to an L2 norm of at most ``norm``."""
        self.fabric.clip_gradients(self._wrapped, self.current.optimizer, max_norm=norm)

    def begin_step(self, rate: float) -> None:
        """Set the step's learning rate; the first one's turn is next."""
        self.current = self.every[0]
        for turn in self.every:
            for group in turn.optimizer.param_groups:
                group["lr"] = rate * turn.lr

    def agree(self) -> None:
        """Give every process of a DDP run the buffers of the first one: batch norm saw other images in each.

        Else hooks would see, and choose, something else in each.
        """
        if self.fabric.world_size > 1:
            for buffer in self._model.buffers():
                torch.distributed.broadcast(buffer, src=0)

    def is_finite_everywhere(self, loss: Tensor) -> bool:
        """Return whether the loss is finite in all processes: else one would wait for one that stopped."""
        bad = (~torch.isfinite(loss.detach())).float()
        return not (self.fabric.all_reduce(bad, reduce_op="sum") if self.fabric.world_size > 1 else bad)

    def sums_everywhere(self, losses: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return each loss summed over all processes: what is not finite in one is not finite in the sum."""
        if self.fabric.world_size == 1:
            return losses
        # Copies: sums are made in place, and a process's own losses tell whether it is to blame.
        own = {name: loss.detach().clone() for name, loss in losses.items()}
        return {name: self.fabric.all_reduce(loss, reduce_op="sum") for name, loss in own.items()}

    def mean_everywhere(self, value: Tensor) -> Tensor:
        """Return the mean over all processes of a value that each of them has."""
        return self.fabric.all_reduce(value, reduce_op="mean") if self.fabric.world_size > 1 else value

    def optimizers(self) -> dict[str, Optimizer]:
        """Return the optimizers by player; the only one is called ``""``."""
        return {turn.name: turn.optimizer for turn in self.every}


class LossMeans:
    """Means of named losses over the batches of an epoch that have them; kept on the device."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Count the losses of a batch."""
        for name, loss in losses.items():
            seen = name in self._sums
            self._sums[name] = self._sums[name] + loss.detach() if seen else loss.detach()
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self, turns: Turns) -> dict[str, float]:
        """Return the means over all processes and start again; nothing of a single loss: it is the whole."""
        means = {
            name: turns.mean_everywhere(value).item() / self._counts[name]
            for name, value in self._sums.items()
        }
        self._sums, self._counts = {}, {}
        return {f"train_loss_{name}": value for name, value in means.items()} if len(means) > 1 else {}


def players_of(task: Task, model: nn.Module, techniques: Sequence[Technique]) -> Sequence[Player]:
    """Return the players of ``task``.

    Raises:
        ValueError: there are some, and a technique changes the loss or the network.
    """
    players = task.players(model)
    for technique in techniques if players else ():
        kind = type(technique)
        if kind.objective is not Technique.objective or kind.network is not Technique.network:
            raise ValueError(
                f"{kind.__name__} changes the loss or the network, and task {task.name!r} has players with "
                "losses of their own; leave it out"
            )
    return players


def _check(players: Sequence[Player], recipe: Recipe) -> None:
    names = [player.name for player in players]
    if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        raise ValueError(f"players are called {', '.join(map(repr, names))}; each needs a word of its own")
    if recipe.compile:
        raise ValueError(
            "compile is for a network that is called whole, and players call its parts; leave it out"
        )
