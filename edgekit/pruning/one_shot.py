"""One-shot pruning: remove the filters of least norm once; with epochs, after training on for them.

With its controls: filters chosen by lot, and the thin network trained from its start.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from edgekit.models.surgery.groups import ChannelGroup
from edgekit.pruning.filters import filter_norms
from edgekit.pruning.method import METHODS, Allocation, PruningMethod, Scores, generator_of, relative
from edgekit.training.hooks import Training


@METHODS.register("one-shot")
class OneShotPruning(PruningMethod):
    """Chooses the filters of least L1 norm (``p=2``: L2) from the weights at the end."""

    decides_at_end = True
    epochs = 0

    def __init__(self, groups: Sequence[ChannelGroup], allocation: Allocation, p: int = 1):
        super().__init__(groups, allocation)
        if p not in (1, 2):
            raise ValueError(f"p is {p}; the norm is 1 (sum of absolute values) or 2")
        self.p = p

    def scores(self, run: Training) -> Scores:
        return {group.name: relative(filter_norms(run.model, group, self.p)) for group in self.groups}


@METHODS.register("random")
class RandomPruning(PruningMethod):
    """Chooses by lot, from the recipe's seed: what any choice has to be better than."""

    decides_at_end = True
    epochs = 0

    def scores(self, run: Training) -> Scores:
        random = generator_of(run)
        return {group.name: torch.rand(group.channels, generator=random) for group in self.groups}


@METHODS.register("thin")
class ThinNetwork(PruningMethod):
    """Keeps the widths and no weight: the thin network is trained from its start.

    What a pruned network has to be better than, given as many images in all ("Rethinking the Value of
    Network Pruning", https://arxiv.org/abs/1810.05270).
    """

    from_random = True
    epochs = 0
