"""The search for what to remove so that a cost is within a limit: of all groups alike, or competing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

import torch
from torch import nn

from edgekit.models.surgery.groups import ChannelGroup, Removal
from edgekit.models.surgery.plan import removable_channels
from edgekit.models.surgery.removal import cut
from edgekit.pruning.method import Scores

Measured = TypeVar("Measured")
Counts = dict[str, int]
"""Channels that go, by the name of their group; a group that stays whole is not in it."""

_CEILING = 0.9  # of a layer's channels may go when layers compete: one that is nearly gone stops the signal
_BISECTIONS = 24


class CostSearch(Generic[Measured]):
    """Finds the rate whose network is within a limit, and fills what rounding leaves of it.

    Args:
        model: whose channels go; it is left as it is.
        measure: what is known of a network; each is measured once.
        price: its cost, by what is known of it.
        share: ``uniform`` or ``global``: see ``Budget``.
        round_to: kept channels are multiples of this.
    """

    def __init__(
        self,
        model: nn.Module,
        measure: Callable[[nn.Module], Measured],
        price: Callable[[Measured], float],
        share: str | None,
        round_to: int,
    ):
        self.model, self.measure, self.price, self.round_to = model, measure, price, round_to
        self._share = competing if share == "global" else alike
        self._measured: dict[frozenset[tuple[str, int]], Measured] = {}

    def at(self, rate: float, groups: Sequence[ChannelGroup], scores: Scores) -> Counts:
        """Return what a rate between 0 and 1 removes; 1 removes all that may go."""
        return self._share(groups, scores, rate, self.round_to)

    def cost_of(self, counts: Mapping[str, int], groups: Sequence[ChannelGroup]) -> float:
        """Return the cost without as many channels: which ones does not matter."""
        key = frozenset(some(counts).items())
        if key not in self._measured:
            self._measured[key] = self.measure(self.cut(counts, groups))
        return self.price(self._measured[key])

    def cut(self, counts: Mapping[str, int], groups: Sequence[ChannelGroup]) -> nn.Module:
        """Return a copy of the network without the first ``counts`` channels of each group."""
        removals = [
            Removal(
                part.layer,
                part.is_output,
                part.indices[: len(part.indices) // group.channels * counts[group.name]],
            )
            for group in groups
            if counts.get(group.name)
            for part in group.parts
        ]
        return cut(self.model, removals)

    def find(self, limit: float, groups: Sequence[ChannelGroup], scores: Scores) -> Counts:
        """Return the least to remove for a cost of at most ``limit``, which removing all must meet."""
        low, high = 0.0, 1.0
        within = self.at(high, groups, scores)
        above: Counts = {}
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            tried = self.at(middle, groups, scores)
            if tried in (above, within):
                low, high = (middle, high) if tried == above else (low, middle)
            elif self.cost_of(tried, groups) > limit:
                low, above = middle, tried
            else:
                high, within = middle, tried
        return self._fill(limit, above, within, groups)

    def _fill(self, limit: float, above: Counts, within: Counts, groups: Sequence[ChannelGroup]) -> Counts:
        """Go from ``above`` the limit towards ``within`` it, a multiple of one group at a time.

        Where the last step saved more than was needed, smaller ones are undone.
        """
        counts = dict(above)
        for group in groups:
            while counts.get(group.name, 0) < within.get(group.name, 0):
                counts[group.name] = self._less(group, counts.get(group.name, 0))
                if self.cost_of(counts, groups) <= limit:
                    return self._undo(limit, counts, groups)
        return self._undo(limit, counts, groups)

    def _undo(self, limit: float, counts: Counts, groups: Sequence[ChannelGroup]) -> Counts:
        for group in groups:
            while counts.get(group.name, 0):
                more = {**counts, group.name: max(0, counts[group.name] - self.round_to)}
                if self.cost_of(more, groups) > limit:
                    break
                counts = more
        return some(counts)

    def _less(self, group: ChannelGroup, removed: int) -> int:
        """Return how many are removed when one multiple less of ``group`` is kept."""
        multiple = self.round_to
        return group.channels - (group.channels - removed - 1) // multiple * multiple


def alike(groups: Sequence[ChannelGroup], _: Scores, rate: float, round_to: int) -> Counts:
    """Return how many go when every group loses the same share."""
    return some({g.name: removable_channels(g.channels, rate, round_to=round_to) for g in groups})


def competing(groups: Sequence[ChannelGroup], scores: Scores, rate: float, round_to: int) -> Counts:
    """Return how many of each group are among the ``rate`` least important channels of all groups."""
    known = {group.name: scores[group.name].detach().double().cpu() for group in groups}
    every = torch.cat(list(known.values())).sort().values
    threshold = every[min(len(every) - 1, int(rate * len(every)))] if rate < 1 else math.inf
    below = {name: int((score < threshold).sum()) for name, score in known.items()}
    most = {group.name: min(below[group.name], int(_CEILING * group.channels)) for group in groups}
    return some(
        {g.name: removable_channels(g.channels, most[g.name] / g.channels, round_to=round_to) for g in groups}
    )


def some(counts: Mapping[str, int]) -> Counts:
    """Return ``counts`` without groups that stay whole."""
    return {name: count for name, count in counts.items() if count}
