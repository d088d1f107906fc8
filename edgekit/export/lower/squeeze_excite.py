"""Export form of squeeze-and-excitation: the hard sigmoid's numbers folded into its last layer.

relu6(z + 3) / 6 is z / 6 + 1/2, clamped to [0, 1]: the factor and the shift go into the weights,
and the clamp into the layer's own kernel, so three small ops per block are gone.
Papers: https://arxiv.org/abs/1709.01507, https://arxiv.org/abs/1905.02244
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from edgekit.models.layers import SqueezeExcite


class FoldedSqueezeExcite(nn.Module):
    """``SqueezeExcite`` whose last layer gives the gate itself."""

    keeps_float = True  # when the model is quantised

    def __init__(self, block: SqueezeExcite):
        super().__init__()
        self.fc1, self.act = block.fc1, block.act
        self.fc2, self.gate = copy.deepcopy(block.fc2), nn.Hardtanh(0.0, 1.0)
        with torch.no_grad():
            self.fc2.weight /= 6
            self.fc2.bias.copy_(self.fc2.bias / 6 + 0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the weighted map: (1, C, H, W) -> (1, C, H, W)."""
        return x * self.gate(self.fc2(self.act(self.fc1(x.mean((2, 3), keepdim=True)))))


def lower_squeeze_excite(block: SqueezeExcite) -> nn.Module:
    """Return the export form of ``block``."""
    return FoldedSqueezeExcite(block)
