"""Spatial group-wise enhance: positions weighed by how like their group's mean they are.

Paper: Li et al., "Spatial Group-wise Enhance: Improving Semantic Feature Learning in Convolutional
Networks", https://arxiv.org/abs/1905.09646, equations 1 to 5. Ours differs in two points: sums over
a group are a product with a constant matrix of ones and zeros, which no engine needs a reshape for
and from which a pruned channel's column simply goes; and the epsilon stands below the root, where a
constant map has a gradient.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

GROUPS = 8  # divides every channel count of the zoo; the paper's 64 suits maps of 256 channels and more
EPSILON = 1e-10


class SpatialGroupEnhance(nn.Module):
    """Multiply each group of channels by sigmoid(scale * similarity + shift), position by position.

    The similarity is the product of a position's channels with their means over the map, summed over
    the group, then normalised over the map to mean 0 and deviation 1. A new block multiplies by
    sigmoid(1) = 0.731 everywhere.

    Args:
        channels: C.
        groups: G; divides C.

    Raises:
        ValueError: it does not.

    Example:
        >>> SpatialGroupEnhance(16)(torch.ones(1, 16, 4, 4))[0, 0, 0, 0].item()   # doctest: +ELLIPSIS
        0.731...
    """

    keeps_float = True  # when the model is quantised

    def __init__(self, channels: int, groups: int = GROUPS):
        super().__init__()
        if groups < 1 or channels % groups:
            raise ValueError(f"groups={groups}; it must divide the {channels} channels")
        membership = torch.eye(groups).repeat_interleave(channels // groups, dim=1)
        self.register_buffer("membership", membership[..., None, None])  # (G, C, 1, 1)
        self.scale = nn.Parameter(torch.zeros(groups))
        self.shift = nn.Parameter(torch.ones(groups))

    def gate(self, x: torch.Tensor) -> torch.Tensor:
        """Return the factor of each group and position, shape (B, G, H, W)."""
        positions = x.shape[2] * x.shape[3]
        similarity = F.conv2d(x * x.mean((2, 3), keepdim=True), self.membership)  # (B, G, H, W)
        apart = similarity - similarity.mean((2, 3), keepdim=True)
        variance = (apart * apart).mean((2, 3), keepdim=True) * (positions / max(1, positions - 1))
        normalised = apart * torch.rsqrt(variance + EPSILON)
        return torch.sigmoid(normalised * self.scale.reshape(1, -1, 1, 1) + self.shift.reshape(1, -1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the weighed map: (B, C, H, W) -> (B, C, H, W)."""
        return x * F.conv2d(self.gate(x), self.membership.transpose(0, 1))
