"""Selective kernel convolution: two receptive fields, weighed against each other for every input.

Paper: Li et al., "Selective Kernel Networks", CVPR 2019, https://arxiv.org/abs/1903.06586. Ours
has the paper's two branches, 3x3 and 3x3 with dilation 2 (in place of 5x5), and writes the
softmax over two branches as the sigmoid of a difference, which is equal.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

BRANCHES = 2
MIN_HIDDEN = 32  # L of the paper


class SelectiveKernel(nn.Module):
    """Convolve with two kernels and add both results, each channel weighed by the input.

    Args:
        in_channels, out_channels: C and N.
        stride: of both convolutions.
        groups: of both convolutions; divides C and N.
        reduction: r; the hidden layer has N / r channels, at least 32.
        act: makes the activation behind each branch.
        norm: makes the batch norm of a channel count.

    Raises:
        ValueError: ``groups`` does not divide the channels.

    Example:
        >>> SelectiveKernel(64, 64)(torch.rand(2, 64, 8, 8)).shape
        torch.Size([2, 64, 8, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        groups: int = 32,
        reduction: int = 16,
        act: Callable[[], nn.Module] = nn.ReLU,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ):
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"groups={groups}; it must divide the {in_channels} input and {out_channels} output channels"
            )
        hidden = max(MIN_HIDDEN, out_channels // reduction)
        self.branches = nn.ModuleList(
            nn.Sequential(
                OrderedDict(
                    conv=nn.Conv2d(
                        in_channels, out_channels, 3, stride, dilation, dilation, groups, bias=False
                    ),
                    bn=norm(out_channels),
                    act=act(),
                )
            )
            for dilation in range(1, BRANCHES + 1)
        )
        self.squeeze = nn.Sequential(
            OrderedDict(conv=nn.Conv2d(out_channels, hidden, 1, bias=False), bn=norm(hidden), act=nn.ReLU())
        )
        self.heads = nn.ModuleList(nn.Conv2d(hidden, out_channels, 1) for _ in range(BRANCHES))
        self.squeeze.keeps_float = self.heads.keeps_float = True  # when the model is quantised

    def attention(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Return the first branch's share of each channel, shape (B, N, 1, 1); the second has the rest."""
        pooled = sum(y.mean((2, 3), keepdim=True) for y in maps)
        hidden = self.squeeze(pooled)
        return torch.sigmoid(self.heads[0](hidden) - self.heads[1](hidden))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the weighed sum of both branches: (B, C, H, W) -> (B, N, H', W')."""
        maps = [branch(x) for branch in self.branches]
        share = self.attention(maps)
        return maps[1] + share * (maps[0] - maps[1])
