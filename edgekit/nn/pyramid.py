"""A light feature pyramid.

Paper: Lin et al., "Feature Pyramid Networks", CVPR 2017, https://arxiv.org/abs/1612.03144. Ours smooths by a
depthwise and a 1x1 convolution in place of a full one, with batch norm, so that a phone's delegates take
all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F


class Pyramid(nn.Module):
    """Carry what coarse maps know up to fine ones.

    Args:
        in_channels: of the maps, the finest first.
        channels: of every map of the pyramid.
    """

    def __init__(self, in_channels: Sequence[int], channels: int):
        super().__init__()
        self.lateral = nn.ModuleList(_conv(count, channels, 1) for count in in_channels)
        self.smooth = nn.ModuleList(separable(channels, channels) for _ in in_channels[:-1])

    def forward(self, maps: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Return as many maps of ``channels`` channels, of the same sides, the finest first."""
        carried = self.lateral[-1](maps[-1])
        made = [carried]
        for level in reversed(range(len(self.smooth))):
            carried = self.smooth[level](self.lateral[level](maps[level]) + resized(carried, maps[level]))
            made.append(carried)
        return tuple(reversed(made))


def separable(in_channels: int, channels: int) -> nn.Sequential:
    """Return a depthwise 3x3 and a 1x1 convolution, batch norm behind both, ReLU at the end."""
    return nn.Sequential(
        *_conv(in_channels, in_channels, 3, groups=in_channels), *_conv(in_channels, channels, 1), nn.ReLU()
    )


def resized(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return ``x`` with the sides of ``like``, bilinear: (B, C, h, w) -> (B, C, H, W)."""
    return F.interpolate(x, size=tuple(like.shape[-2:]), mode="bilinear", align_corners=False)


def _conv(in_channels: int, channels: int, kernel: int, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, channels, kernel, 1, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels))
