"""A task: how its network is built, what a batch costs it, how a split is scored, what is exported.

A task is one object; its fields are its options. Classification is one, and so is whatever a third party
registers by the entry point ``edgekit.task``. The trainer, pruning, quantisation and export ask it, and know
no task by name.

Example:
    >>> @TASKS.register("depth")                                                # doctest: +SKIP
    ... @dataclass(frozen=True)
    ... class Depth(Task):
    ...     name, metric = "depth", "within_10pct"
    ...     def losses(self, net, batch): return {"l1": (net(batch.inputs) - batch.targets).abs().mean()}
    ...     def decode(self, outputs, targets): return outputs[0]
    ...     def score(self, results, truths): return share_within(results, truths, 0.1)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from torch import Tensor, nn

from edgekit.data import Dataset, Split
from edgekit.models import NO_MODEL, ModelSpec, build_model
from edgekit.tasks.graph import Examples, SourceGraph
from runtime.bundle import MAIN_GRAPH, TaskSpec
from runtime.registry import Registry

Net = Callable[[Any], Any]
"""Takes a batch's inputs, gives what the network returns of them."""


class Batch(NamedTuple):
    """What the network is given and what its outputs are compared with: tensors, or dicts of them."""

    inputs: Any
    targets: Any


@dataclass(frozen=True)
class Player:
    """Who is optimised, by which losses, and when.

    Attributes:
        name: of its buffers in an interrupted run's state, and in errors.
        parameters: what its optimiser changes; other gradients of its losses are thrown away.
        losses: the player's named losses of a batch; it gets the whole network, whose parts it may call.
        every: it acts in every Nth step.
        lr: factor on the recipe's learning rate.
        optimizer: one of a recipe's instead of the recipe's own.
        options: of the optimiser, in place of the recipe's: ``{"betas": (0.5, 0.999)}``.
    """

    name: str
    parameters: Sequence[nn.Parameter]
    losses: Callable[[nn.Module, Batch], Mapping[str, Tensor]]
    every: int = 1
    lr: float = 1.0
    optimizer: str | None = None
    options: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.every < 1 or not 0 < self.lr < float("inf"):
            raise ValueError(
                f"player {self.name!r} acts every {self.every} steps at {self.lr} times the learning rate; "
                "every must be 1 or more, lr above 0"
            )


@dataclass(frozen=True)
class Round:
    """What is trained on until the next round.

    Attributes:
        indices: of the training examples to go on with; fewer than all are gone through again, so that an
            epoch keeps its length.
        labels: theirs, in the place of those they had; of data with fields those that change, by name.
    """

    indices: np.ndarray
    labels: np.ndarray | Mapping[str, np.ndarray]


class Task:
    """What all that handles networks asks of a task; override what you need.

    Attributes:
        name: that it is registered by.
        metric: names its score, which grows as a model improves.
        takes, gives, paper, data: what ``edgekit tasks`` says of it: what goes into a frame, what comes out,
            a link, and what it is trained on.
        minutes: measured, that a small network takes to train on two CPU cores; ``None``: not measured.
        has_backbone: its network has a model of the zoo, or the user's, below its heads.
    """

    name: ClassVar[str]
    metric: ClassVar[str]
    takes: ClassVar[str] = ""
    gives: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    data: ClassVar[str] = ""
    minutes: ClassVar[float | None] = None
    has_backbone: ClassVar[bool] = True

    def view(self, dataset: Dataset) -> Dataset:
        """Return ``dataset`` as the network is to see it; a view's view is the view.

        Raises:
            DataError: its examples are not what the task learns from.
        """
        return dataset

    def fitted(self, dataset: Dataset) -> Task:
        """Return the task with what it learns of its view of the data before a network is built: options."""
        return self

    def build(self, spec: ModelSpec) -> nn.Module:
        """Return the network with random weights: all that is trained or remembered is below it.

        A teacher and queues are children or buffers too: so they are stored and resumed with it.
        """
        return build_model(spec)

    def losses(self, net: Net, batch: Batch) -> Mapping[str, Tensor]:
        """Return the named mean losses of a batch, scalars; their sum is minimised.

        Args:
            net: to be called with ``batch.inputs``, or inputs like them, and nothing else.
        """
        raise NotImplementedError

    def players(self, net: nn.Module) -> Sequence[Player]:
        """Return who is optimised apart; none: all of the network, by ``losses``."""
        return ()

    def after_step(self, net: nn.Module, step: int) -> None:
        """Act after the optimisers' step, without gradients: move an average, push into a queue."""

    def rounds(self, epochs: int) -> Sequence[int]:
        """Return the epochs, counted from 0, before which examples are labelled again; none: never."""
        return ()

    def relabel(self, net: nn.Module, split: Split, rng: np.random.Generator) -> Round:
        """Return the examples of ``split`` to go on with, and the labels that ``net`` finds for them.

        Args:
            net: in eval mode, without gradients.
            split: the training examples as the data have them, whatever earlier rounds found.
            rng: the same one in a run that is resumed.
        """
        raise NotImplementedError

    def decode(self, outputs: Sequence[np.ndarray], targets: Any) -> Sequence[Any]:
        """Return a result for each example.

        Args:
            outputs: what the network, or its exported files, give, in order; the first axis counts examples.
                Of a flow that makes steps, what its tokens are drawn from, shape (1, runs, n) each.
            targets: of the same examples, as the split has them.
        """
        raise NotImplementedError

    def draws(self, target: Any) -> dict[str, Sequence[int]]:
        """Return what each token of the flow is to draw for one example, so that its files can be scored.

        Args:
            target: of the example, as a batch has it.
        """
        return {}

    def score(self, results: Sequence[Any], truths: Sequence[Any]) -> float:
        """Return the score of decoded ``results`` against the split's targets; more is better."""
        raise NotImplementedError

    def graphs(self, net: nn.Module, examples: Examples) -> dict[str, SourceGraph]:
        """Return what is exported, by name: one to three graphs of the trained ``net`` in eval mode."""
        return {MAIN_GRAPH: SourceGraph.of_images(net, examples, "output")}

    def result(self, labels: Sequence[str] = ()) -> TaskSpec | None:
        """Return what the bundle says of the task as data: its flow through the graphs, and its result.

        ``None``: a picture in, and the likeliest of ``labels`` out, which a bundle need not say.
        """
        return None


def total(losses: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of named losses."""
    first, *others = losses.values()
    for loss in others:
        first = first + loss
    return first


def check_backbone(task: Task, spec: ModelSpec) -> None:
    """Refuse a task without the model it needs, or with one that it does not need.

    Raises:
        ValueError: either is so.
    """
    if task.has_backbone and spec.name == NO_MODEL:
        raise ValueError(f"{task.name} needs a model; name one: edgekit models lists them")
    if not task.has_backbone and spec.name != NO_MODEL:
        raise ValueError(
            f"{task.name} brings all of its network and has no place for {spec.label}; leave the model out, "
            f"or in a recipe file write model: {NO_MODEL}"
        )


TASKS: Registry[Callable[..., Task]] = Registry("task")
