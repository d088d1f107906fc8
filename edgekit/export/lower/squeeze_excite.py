"""Export form of squeeze-and-excitation: the hard sigmoid's numbers folded into its last layer.

relu6(z + 3) / 6: the shift goes into the layer's bias and the clamp into its kernel; the factor stays
as one product of C numbers. A clamp to [0, 1] would need none, but LiteRT's delegate does not take it.
Papers: https://arxiv.org/abs/1709.01507, https://arxiv.org/abs/1905.02244
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from edgekit.models.layers import SqueezeExcite


class FoldedSqueezeExcite(nn.Module):
    """``SqueezeExcite`` whose last layer adds the three of the hard sigmoid."""

    keeps_float = True  # when the model is quantised

    def __init__(self, block: SqueezeExcite):
        super().__init__()
        self.fc1, self.act = block.fc1, block.act
        self.fc2, self.gate = copy.deepcopy(block.fc2), nn.ReLU6()
        self.register_buffer("sixth", torch.full((1, 1, 1, 1), 1 / 6))
        with torch.no_grad():
            self.fc2.bias += 3

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the weighted map: (1, C, H, W) -> (1, C, H, W)."""
        hidden = self.act(self.fc1(x.mean((2, 3), keepdim=True)))
        return x * (self.gate(self.fc2(hidden)) * self.sixth)
