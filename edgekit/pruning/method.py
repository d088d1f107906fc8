"""What a pruning method is: a hook that acts while the network trains, and at the end a plan.

A method is one file with the paper in its docstring. It is given the groups of channels that may go
and an ``Allocation``, which says how many of each; what its constants are it takes as options.

Example:
    >>> @METHODS.register("oldest-first")                                         # doctest: +SKIP
    ... class OldestFirst(PruningMethod):
    ...     def scores(self, run): return {g.name: torch.arange(g.channels) for g in self.groups}
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from edgekit.models.surgery.groups import ChannelGroup
from edgekit.models.surgery.kernels import KernelPlan
from edgekit.models.surgery.plan import ChannelPlan
from edgekit.pruning.filters import filter_norms, smallest
from edgekit.training.hooks import Hook, Training
from runtime.registry import Registry

Scores = Mapping[str, Tensor]
"""Importance of each channel, shape (channels,), by the name of its group."""


class Allocation(Protocol):
    """Says how many channels each group loses."""

    def counts(self, groups: Sequence[ChannelGroup], scores: Scores) -> dict[str, int]:
        """Return how many to remove by name of the group; a group that stays whole is not in it.

        Args:
            scores: tell where the least important channels are, when groups compete for a budget:
                those of one group are compared with another's.
        """
        ...


class PruningMethod(Hook):
    """Removes the channels of least L2 norm at the end of training; a base for all methods.

    Args:
        groups: the channels that may go.
        allocation: how many of them.

    Attributes:
        counts: how many channels each group loses, by name.
        plan: the channels to remove; set by ``finalize``.
        kernels: kernels that can be cut besides, because what is cut off is zero; set by ``finalize``.
        from_random: the method wants a network that has learned nothing, and what is left of it is
            trained from its start.
        decides_at_end: how many channels a group loses follows from the scores at the end, not from the
            weights at the begin: for methods that do nothing to particular channels while training.
        share: how a budget is shared out over the groups by default: see ``Budget``.
        epochs: of training with the method that it needs by default: ``None`` is half of the recipe's.
    """

    from_random = False
    decides_at_end = False
    share = "uniform"
    epochs: int | None = None

    def __init__(self, groups: Sequence[ChannelGroup], allocation: Allocation):
        self.groups = tuple(groups)
        self.allocation = allocation
        self.counts: dict[str, int] = {}
        self.plan: ChannelPlan = {}
        self.kernels: KernelPlan = {}

    def prepare(self, model: nn.Module) -> None:
        """Decide; a resumed run comes to the same, for its network starts as it did."""
        self.decide(model)

    def decide(self, model: nn.Module) -> None:
        """Decide how many channels go, by the weights of ``model``, once."""
        if not self.counts:
            self.counts = self.allocation.counts(self.groups, norms(model, self.groups))

    def targets(self) -> list[tuple[ChannelGroup, int]]:
        """Return the groups that lose channels, each with how many."""
        return [(group, self.counts[group.name]) for group in self.groups if self.counts.get(group.name)]

    def scores(self, run: Training) -> Scores:
        """Return how important each channel is now."""
        return norms(run.model, self.groups)

    def finalize(self, run: Training) -> None:
        """Choose the least important channels."""
        scores = self.scores(run)
        if self.decides_at_end:
            self.counts = self.allocation.counts(self.groups, scores)
        self.plan = {group.name: smallest(scores[group.name], count) for group, count in self.targets()}

    def report(self) -> dict[str, Any]:
        """Return what is worth knowing of the run, such as the constants used; plain JSON values."""
        return {}

    def warnings(self) -> tuple[str, ...]:
        """Return what to know before believing in the method's choice."""
        return ()


METHODS: Registry[type[PruningMethod]] = Registry("pruning method")


def norms(model: nn.Module, groups: Sequence[ChannelGroup]) -> Scores:
    """Return the L2 norms of the filters of all groups, to be compared with one another."""
    return {group.name: relative(filter_norms(model, group)) for group in groups}


def relative(scores: Tensor) -> Tensor:
    """Return ``scores`` of one group by their mean: layers differ in size, their channels less in worth."""
    return scores / scores.mean().clamp(min=1e-12)


def make_method(
    name: str, groups: Sequence[ChannelGroup], allocation: Allocation, options: Mapping[str, Any]
) -> PruningMethod:
    """Return the method called ``name``.

    Raises:
        ValueError: unknown name or option, or an option out of range.
    """
    make = METHODS.get(name)
    known = list(inspect.signature(make).parameters)[2:]  # behind the groups and the allocation
    for option in options:
        if option not in known:
            allowed = ", ".join(known) or "none"
            raise ValueError(f"pruning method {name!r} has no option {option!r}; its options: {allowed}")
    return make(groups, allocation, **options)


def shrinks_beside_step(run: Training) -> bool:
    """Return whether weights have to shrink beside the step, by lr * factor, instead of by the gradient.

    AdamW divides gradients by their size, which undoes most of a factor's growth; with float16 they are
    scaled when a hook sees them.
    """
    return not isinstance(run.optimizer, torch.optim.SGD) or run.recipe.precision.startswith("16")


def generator_of(run: Training, purpose: int = 0) -> torch.Generator:
    """Return random numbers of the step that runs: alike in all processes, and none of dropout's."""
    seed = (run.recipe.seed * 1_000_003 + run.step) * 8 + purpose
    return torch.Generator().manual_seed(seed % 2**63)
