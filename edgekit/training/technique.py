"""Training techniques: what a recipe may use beside plain training, each found by its name.

A technique is one file: a class that says which loss is minimised, which hooks act, how images are
changed, or that several networks are trained. A recipe names those it uses, with their options, in
``Recipe.use``; every registered technique is a recipe of that name too, and recipes are joined by
``+``: ``edgekit train resnet20 --data digits --recipe digits-demo+random-erasing``.

Example:
    >>> @register_technique("hinge")                                            # doctest: +SKIP
    ... class Hinge(Technique):
    ...     def __init__(self, margin: float = 1.0): self.margin = margin
    ...     def objective(self, inner): return HingeLoss(self.margin)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from torch import Tensor, nn

from edgekit.data import Dataset, Move, Split
from edgekit.tasks import Batch, make_named
from edgekit.training.hooks import Hook, Training
from edgekit.training.recipe import RECIPES, NamedRecipe, Recipe
from runtime.registry import Registry


class Objective(Protocol):
    """What a step minimises."""

    def losses(self, run: Training, batch: Batch) -> Mapping[str, Tensor]:
        """Return the named mean losses of a batch, scalars whose sum is minimised.

        Args:
            run: ``run.forward(inputs)`` gives the outputs, ``run.task.losses`` the task's own losses.
            batch: inputs, such as (B, C, H, W), on the model's device, and targets as the dataset has them.
        """
        ...


class Supervised:
    """The task's own losses."""

    def losses(self, run: Training, batch: Batch) -> Mapping[str, Tensor]:
        """Return the task's losses of what the network gives."""
        return run.task.losses(run.forward, batch)


class Technique:
    """Changes nothing; override what you need. Options are arguments of ``__init__``, plain JSON values.

    Attributes:
        keeps_places: whether ``augment`` leaves each thing in an image where it is, and visible: then masks,
            boxes and points stay true.
    """

    keeps_places: ClassVar[bool] = False

    def check(self, dataset: Dataset) -> None:
        """Refuse, before anything is written, a dataset this cannot be used on."""

    def training_data(self, split: Split) -> Split:
        """Return the images to train on; what is left out of ``split`` may be used otherwise."""
        return split

    def network(self, model: nn.Module) -> nn.Module:
        """Return the module to train: ``model``, or one that holds it, such as several students."""
        return model

    def trained(self, network: nn.Module) -> nn.Module:
        """Return the model of the trained ``network``."""
        return network

    def objective(self, inner: Objective) -> Objective:
        """Return what to minimise; ``inner`` is what would be without this technique."""
        return inner

    def hooks(self) -> Sequence[Hook]:
        """Return the hooks that act during the training."""
        return ()

    def keep_last_epoch(self) -> None:
        """Keep the weights of no other epoch: a pruning method's plan is of the last one."""

    def augment(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a training batch's changed pixels, uint8 of shape (B, H, W, C)."""
        return pixels

    def moves(self, count: int, size: int, rng: np.random.Generator) -> Sequence[Move]:
        """Return how a training batch of ``count`` square images is moved, with all that is known of them."""
        return ()


TECHNIQUES: Registry[Callable[..., Technique]] = Registry("training technique")


def register_technique(name: str) -> Callable[[Callable[..., Technique]], Callable[..., Technique]]:
    """Return a decorator that makes a technique known by ``name``, also as a recipe that uses it alone."""

    def store(technique: Callable[..., Technique]) -> Callable[..., Technique]:
        RECIPES.register(name)(lambda: NamedRecipe(Recipe(use={name: {}}), {}))
        return TECHNIQUES.register(name)(technique)

    return store


def with_teacher(use: dict[str, dict[str, Any]], teacher: str) -> dict[str, dict[str, Any]]:
    """Return ``use`` with ``teacher`` given to the techniques that learn from one; ``kd`` where none does."""
    learners = [name for name in use if "teacher" in inspect.signature(TECHNIQUES.get(name)).parameters]
    return {**use, **{name: {**use.get(name, {}), "teacher": teacher} for name in learners or ["kd"]}}


def make_techniques(recipe: Recipe, dataset: Dataset) -> list[Technique]:
    """Return the techniques that ``recipe`` uses, in its order.

    Raises:
        ValueError: a name or an option is unknown, or a technique cannot be used on ``dataset``.
    """
    techniques = [make_named(TECHNIQUES, name, options) for name, options in recipe.use.items()]
    for technique in techniques:
        technique.check(dataset)
    return techniques
