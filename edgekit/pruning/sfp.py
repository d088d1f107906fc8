"""Soft filter pruning: after every epoch the smallest filters become zero, but go on learning.

Paper: He et al., "Soft Filter Pruning for Accelerating Deep Convolutional Neural Networks",
IJCAI 2018, https://arxiv.org/abs/1808.06866. Ours differs in what is pruned: only channels inside
a block, so that the compact network is exact and dense.
"""

from __future__ import annotations

import torch
from torch import nn

from edgekit.nn import DynamicConv2d
from edgekit.pruning.one_shot import OneShotPruning, smallest_filters
from edgekit.training.hooks import Training


class SoftFilterPruning(OneShotPruning):
    """Zeroes ``int(N * rate)`` filters of every prunable convolution before training and after each epoch.

    Gradients, momentum and batch norm are left alone: a zeroed filter may grow again, and the set
    may change from epoch to epoch.
    """

    def rate_at(self, epoch: int, epochs: int) -> float:
        """Return the share of filters to zero after ``epoch`` of ``epochs`` epochs."""
        return self.rate

    def on_train_begin(self, run: Training) -> None:
        self._zero(run, run.epoch)

    def on_epoch_end(self, run: Training) -> None:
        self._zero(run, run.epoch + 1)

    def _zero(self, run: Training, epoch: int) -> None:
        rate = self.rate_at(epoch, run.recipe.epochs)
        for conv in self.convs:
            layer = run.model.get_submodule(conv.name)
            zero_filters(layer, smallest_filters(layer, int(conv.channels * rate)))


def zero_filters(conv: nn.Conv2d | DynamicConv2d, indices: tuple[int, ...]) -> None:
    """Set the filters at ``indices`` to zero, in place."""
    with torch.no_grad():
        if isinstance(conv, DynamicConv2d):
            conv.weight[:, list(indices)] = 0
        else:
            conv.weight[list(indices)] = 0
