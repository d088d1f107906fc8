"""Export form of a selective kernel: its two heads folded into one.

The share sigmoid(head0(h) - head1(h)) is the sigmoid of one layer with the difference of weights.
Paper: https://arxiv.org/abs/1903.06586
"""

from __future__ import annotations

import torch
from torch import nn

from edgekit.nn import SelectiveKernel


class FoldedSelectiveKernel(nn.Module):
    """``SelectiveKernel`` with one head."""

    def __init__(self, block: SelectiveKernel):
        super().__init__()
        self.branches, self.squeeze = block.branches, block.squeeze
        first, second = block.heads
        self.head = nn.Conv2d(first.in_channels, first.out_channels, 1)
        with torch.no_grad():
            self.head.weight.copy_(first.weight - second.weight)
            self.head.bias.copy_(first.bias - second.bias)
        self.head.keeps_float = True  # when the model is quantised, as the two heads do

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the weighed sum of both branches: (1, C, H, W) -> (1, N, H', W')."""
        first, second = (branch(x) for branch in self.branches)
        pooled = first.mean((2, 3), keepdim=True) + second.mean((2, 3), keepdim=True)
        share = torch.sigmoid(self.head(self.squeeze(pooled)))  # (1, N, 1, 1)
        return second + share * (first - second)
