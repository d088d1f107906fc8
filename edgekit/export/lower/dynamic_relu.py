"""Export form of dynamic ReLU: one head for all coefficients, few passes over the map, one delegate.

The four 1x1 heads become one, cut into four by ``narrow``, which keeps its dimensions: indexing
would leave the delegate. Python scalars would become ``_to_dim_order_copy`` ops outside it.
max(a1 x + b1, a2 x + b2) is written max(x, x a2/a1 + (b2 - b1)/a1) a1 + b1: as many passes over
the map, but each but the first two works in place on what the one before left in the cache.
Tried on MobileNetV2 1.0 at 224 px, LiteRT, one core, latency against the ReLU6 model: as in the
paper 1.64, this form 1.57, a2 x + b + |a1 - a2| max(x, kink) 1.63. For batch 1.
Paper: https://arxiv.org/abs/2003.10027
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from edgekit.nn import DynamicReLU
from edgekit.nn.dynamic_relu import OFFSET_RANGE, SLOPE_RANGE, SPATIAL_SHARE, SPATIAL_TEMPERATURE


class StaticDynamicReLU(nn.Module):
    """``DynamicReLU`` with all four heads in one and z/2 folded into it.

    The coefficients are ``tanh(head) * scale + shift``: slope1 in [0, 2], slope2 in [-1, 1],
    both offsets in [-0.5, 0.5].
    """

    keeps_float = True  # when the model is quantised

    def __init__(self, act: DynamicReLU):
        super().__init__()
        heads = (act.slope1, act.slope2, act.offset1, act.offset2)
        outputs = act.slope1.out_channels  # C, or 1 where the channels share their coefficients
        self.fc1, self.act = act.fc1, act.act
        self.head = nn.Conv2d(act.fc1.out_channels, 4 * outputs, 1)
        with torch.no_grad():
            self.head.weight.copy_(torch.cat([head.weight / 2 for head in heads]))
            self.head.bias.copy_(torch.cat([head.bias / 2 for head in heads]))
        scale = torch.tensor([SLOPE_RANGE, SLOPE_RANGE, OFFSET_RANGE, OFFSET_RANGE])
        shift = torch.tensor([1.0, 0.0, 0.0, 0.0])
        self.register_buffer("scale", scale.repeat_interleave(outputs).reshape(1, -1, 1, 1))
        self.register_buffer("shift", shift.repeat_interleave(outputs).reshape(1, -1, 1, 1))
        # The upper slope divides, so it must not be 0; at 1e-6 the line is still flat within rounding.
        self.register_buffer("least_slope", torch.full((1, 1, 1, 1), 1e-6))
        self.spatial = None if act.spatial is None else _cooled(act.spatial)

    def coefficients(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return slope1, slope2, offset1, offset2, each of shape (1, C or 1, 1, 1)."""
        hidden = self.act(self.fc1(x.mean((2, 3), keepdim=True)))  # (1, C/R, 1, 1)
        coefficients = torch.tanh(self.head(hidden)) * self.scale + self.shift  # (1, 4C, 1, 1)
        outputs = coefficients.shape[1] // 4
        return tuple(coefficients.narrow(1, k * outputs, outputs) for k in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the activated input, shape (1, C, H, W)."""
        slope1, slope2, offset1, offset2 = self.coefficients(x)
        slope1 = torch.maximum(slope1, self.least_slope)
        y = torch.maximum(x, x * (slope2 / slope1) + (offset2 - offset1) / slope1) * slope1 + offset1
        return y if self.spatial is None else y * self.spatial_weight(x)

    def spatial_weight(self, x: torch.Tensor) -> torch.Tensor:
        """Return each position's weight, at most 1, shape (1, 1, H, W); variant c only."""
        logits = self.spatial(x)  # (1, 1, H, W)
        _, _, height, width = logits.shape
        share = torch.softmax(logits.flatten(1), dim=-1).reshape(logits.shape)
        return (share * (SPATIAL_SHARE * height * width)).clamp(max=1.0)


def _cooled(spatial: nn.Conv2d) -> nn.Conv2d:
    """Return ``spatial`` with its softmax's temperature divided into it."""
    cooled = copy.deepcopy(spatial)
    with torch.no_grad():
        cooled.weight /= SPATIAL_TEMPERATURE
        cooled.bias /= SPATIAL_TEMPERATURE
    return cooled
