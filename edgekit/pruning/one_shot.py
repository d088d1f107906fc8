"""One-shot pruning: train on, and remove the filters of least L2 norm once, at the end.

Also the base of the soft methods, which differ in what they do before.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from edgekit.models.surgery.groups import PrunableConv
from edgekit.models.surgery.plan import ChannelPlan, removable_channels
from edgekit.nn import DynamicConv2d
from edgekit.training.hooks import Hook, Training


class OneShotPruning(Hook):
    """Chooses the plan from the weights at the end of training.

    Args:
        rate: share of the filters of every convolution to remove, in (0, 1).
        convs: the convolutions, see ``ChannelGraph.block_internal``.
        round_to: kept channels are rounded up to a multiple of this.

    Attributes:
        plan: the channels to remove; set by ``finalize``.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(self, rate: float, convs: Sequence[PrunableConv], *, round_to: int = 8):
        if not 0 < rate < 1:
            raise ValueError(f"rate is {rate}; it must be above 0 and below 1")
        if round_to < 1:
            raise ValueError(f"round_to is {round_to}; it must be at least 1")
        self.rate = rate
        self.round_to = round_to
        self.convs = tuple(convs)
        self.plan: ChannelPlan = {}

    def finalize(self, run: Training) -> None:
        self.plan = {}
        for conv in self.convs:
            count = removable_channels(conv.channels, self.rate, round_to=self.round_to)
            if count:
                self.plan[conv.name] = smallest_filters(run.model.get_submodule(conv.name), count)


def filter_norms(conv: nn.Conv2d | DynamicConv2d) -> torch.Tensor:
    """Return the L2 norm of each filter, shape (N,); a dynamic filter is all of its K kernels."""
    weight = conv.weight.detach()
    if isinstance(conv, DynamicConv2d):
        weight = weight.transpose(0, 1)  # (N, K, C, kh, kw)
    return weight.flatten(1).norm(dim=1)


def smallest_filters(conv: nn.Conv2d | DynamicConv2d, count: int) -> tuple[int, ...]:
    """Return the indices of the ``count`` filters of least norm, ascending; equal norms: the first ones."""
    order = torch.argsort(filter_norms(conv), stable=True)
    return tuple(sorted(order[:count].tolist()))
