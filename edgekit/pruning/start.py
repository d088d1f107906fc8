"""Where a pruning begins: a trained checkpoint, or a network that is yet to be trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import torch
from torch import nn

from edgekit.data import Dataset
from edgekit.models import ModelSpec
from edgekit.models.surgery.kernels import KernelPlan
from edgekit.models.surgery.plan import ChannelPlan
from edgekit.models.surgery.planned import as_planned
from edgekit.tasks import Classification, Task, check_backbone
from edgekit.training.checkpoint import Checkpoint
from edgekit.training.recipe import Recipe
from edgekit.training.run import fit_spec, task_identity
from runtime.bundle.decoding import why
from runtime.errors import CheckpointError


@dataclass(frozen=True)
class Start:
    """What a pruning begins with.

    Attributes:
        spec, plan, kernels: the network, what was removed from it before, and cut.
        load: returns the network; with random weights when it is not trained yet.
        recipe: how its training went, for the record.
        identity: says which network it is.
        placement: how its dynamic layers were chosen.
        checkpoint: the trained one, if it is one.
        task: what the network is for.
    """

    spec: ModelSpec
    plan: ChannelPlan
    kernels: KernelPlan
    load: Callable[[], nn.Module]
    recipe: dict[str, Any]
    identity: dict[str, Any]
    placement: dict[str, Any] | None = None
    checkpoint: Checkpoint | None = None
    task: Task = field(default_factory=Classification)

    def untrained(self, seed: int, example: torch.Tensor) -> nn.Module:
        """Return the network with random weights drawn from ``seed``."""
        torch.manual_seed(seed)
        return as_planned(self.task.build(self.spec), self.plan, self.kernels, example).train()


def from_checkpoint(checkpoint: Checkpoint, dataset: Dataset) -> Start:
    """Return a start at ``checkpoint``.

    Raises:
        CheckpointError: it was not trained on ``dataset``.
    """
    trained_on = (checkpoint.dataset, checkpoint.pictures.size, len(checkpoint.labels))
    given = (dataset.name, dataset.image.size, len(dataset.labels))
    if trained_on != given or checkpoint.labels != tuple(dataset.labels):
        raise CheckpointError(
            "{} was trained on {!r} of {} pixels and {} classes".format(checkpoint.path, *trained_on)
            + ", got {!r} of {} pixels and {}; prune it with the same data".format(*given)
        )
    identity = {"checkpoint": checkpoint.sha256}
    return Start(
        checkpoint.spec,
        checkpoint.plan or {},
        checkpoint.kernels or {},
        checkpoint.build,
        checkpoint.recipe,
        identity,
        checkpoint.placement,
        checkpoint,
        checkpoint.make_task(),
    )


def from_spec(
    spec: ModelSpec,
    dataset: Dataset,
    recipe: Recipe,
    placement: dict[str, Any] | None = None,
    task: Task | None = None,
) -> Start:
    """Return a start at the untrained network of ``spec``.

    Raises:
        ValueError: ``spec`` does not fit ``dataset``.
    """
    if fit_spec(spec, dataset) != spec:
        raise ValueError(f"{spec} does not fit dataset {dataset.name!r}; use {fit_spec(spec, dataset)}")

    task = task or Classification()
    check_backbone(task, spec)
    if not task.has_backbone:
        raise ValueError(f"pruning removes channels of a model, and {task.name} has none; train it without")

    def load() -> nn.Module:
        torch.manual_seed(recipe.seed)
        return task.build(spec)

    # As JSON reads it back: the state of an interrupted run is compared with it.
    chosen = msgspec.json.decode(msgspec.json.encode(spec))
    identity = {"dataset": dataset.name, **chosen, **task_identity(task)}
    return Start(spec, {}, {}, load, msgspec.to_builtins(recipe), identity, placement, task=task)


def recipe_of(checkpoint: Checkpoint) -> Recipe:
    """Return the recipe ``checkpoint`` was trained by, without its techniques: name those that shall go on.

    Raises:
        CheckpointError: it is none.
    """
    try:
        recipe = replace(msgspec.convert(checkpoint.recipe, Recipe), use={})
        gentler(recipe)  # is a recipe too
        return recipe
    except (ValueError, OverflowError, RecursionError) as err:
        raise CheckpointError(
            f"the recipe of {checkpoint.path} does not fit ({why(err)}); copy or train the checkpoint again"
        ) from err


def gentler(recipe: Recipe) -> Recipe:
    """Return ``recipe`` for a network that is trained already: half the learning rate, little warm-up."""
    return replace(recipe, lr=recipe.lr / 2, warmup_epochs=min(1, recipe.warmup_epochs), temperature_epochs=0)
