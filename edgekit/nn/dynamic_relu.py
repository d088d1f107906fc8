"""Dynamic ReLU: a two-piece linear activation whose coefficients depend on the input.

Paper: Chen et al., "Dynamic ReLU", ECCV 2020, https://arxiv.org/abs/2003.10027. Ours differs in
form, not in value: the four sets of coefficients come from four 1x1 convolutions instead of one
layer that is then indexed, and 2 * sigmoid(z) - 1 is written tanh(z / 2); both keep the whole
block inside one delegate when it is exported.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from edgekit.nn.dynamic_conv import MIN_HIDDEN, on_pooled

VARIANTS = ("a", "b", "c")
SLOPE_RANGE = 1.0  # lambda_a
OFFSET_RANGE = 0.5  # lambda_b
SPATIAL_TEMPERATURE = 10.0
SPATIAL_SHARE = 1.0 / 3.0  # gamma = HW / 3: the mean of the unclipped spatial attention


class DynamicReLU(nn.Module):
    """Return max(slope1 * x + offset1, slope2 * x + offset2), coefficients computed from ``x``.

    slope1 lies in [0, 2], slope2 in [-1, 1], both offsets in [-0.5, 0.5]. The last layers start
    at zero, so a new block is exactly ReLU (variants a and b) or ReLU / 3 (variant c, whose
    spatial attention starts uniform).

    Args:
        channels: C of the input.
        variant: ``a`` shares the coefficients over channels and positions, ``b`` gives each
            channel its own, ``c`` also weighs each position.
        reduction: R; the hidden layer has C / R channels, at least 4.

    Raises:
        ValueError: unknown variant, or ``reduction`` below one.

    Example:
        >>> act = DynamicReLU(16, "b")
        >>> act(torch.tensor([-1.0, 2.0]).reshape(1, 1, 1, 2).expand(1, 16, 1, 2))[0, 0, 0].tolist()
        [0.0, 2.0]
    """

    def __init__(self, channels: int, variant: str = "b", reduction: int = 8):
        super().__init__()
        if variant not in VARIANTS:
            raise ValueError(f"DynamicReLU variant {variant!r}; choose one of {', '.join(VARIANTS)}")
        if reduction < 1:
            raise ValueError(f"reduction={reduction}; it must be 1 or more")
        hidden = max(MIN_HIDDEN, channels // reduction)
        outputs = 1 if variant == "a" else channels
        self.variant = variant
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.act = nn.ReLU()
        self.slope1 = nn.Conv2d(hidden, outputs, 1)
        self.slope2 = nn.Conv2d(hidden, outputs, 1)
        self.offset1 = nn.Conv2d(hidden, outputs, 1)
        self.offset2 = nn.Conv2d(hidden, outputs, 1)
        self.spatial = nn.Conv2d(channels, 1, 1) if variant == "c" else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the last layers to zero: the block starts as ReLU.

        The hidden layer's offset too: pooled values scatter around zero after batch norm, so each
        hidden unit is then on for about half of the inputs and not off for all.
        """
        nn.init.zeros_(self.fc1.bias)
        for head in (self.slope1, self.slope2, self.offset1, self.offset2, self.spatial):
            if head is not None:
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)

    def coefficients(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return slope1, slope2, offset1, offset2, each of shape (B, C or 1, 1, 1)."""
        hidden = self.act(on_pooled(self.fc1, self.pool(x).flatten(1)))  # (B, C/R)
        heads = (self.slope1, self.slope2, self.offset1, self.offset2)
        # One product for the four heads, each a 1x1 convolution of a map with one position.
        weight = torch.cat([head.weight for head in heads]).flatten(1)
        z = F.linear(hidden, weight, torch.cat([head.bias for head in heads]))  # (B, 4 * (C or 1))
        slope1, slope2, offset1, offset2 = torch.tanh(z / 2)[..., None, None].chunk(4, dim=1)
        return (
            1.0 + SLOPE_RANGE * slope1,
            SLOPE_RANGE * slope2,
            OFFSET_RANGE * offset1,
            OFFSET_RANGE * offset2,
        )

    def spatial_attention(self, x: torch.Tensor) -> torch.Tensor:
        """Return each position's weight before clipping, shape (B, 1, H, W), mean 1/3; variant c only."""
        logits = self.spatial(x)  # (B, 1, H, W)
        weights = F.softmax(logits.flatten(2) / SPATIAL_TEMPERATURE, dim=2).reshape(logits.shape)
        return weights * (SPATIAL_SHARE * logits.shape[2] * logits.shape[3])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the activated input, of the same shape (B, C, H, W)."""
        slope1, slope2, offset1, offset2 = self.coefficients(x)
        # max(p, q) as q + relu(p - q), in two passes: training is a third faster than with
        # torch.maximum, whose gradient needs four masks.
        lower = torch.addcmul(offset2, slope2, x)
        y = lower + F.relu(torch.addcmul(offset1 - offset2, slope1 - slope2, x))
        if self.spatial is None:
            return y
        # The weight scales slopes and offsets alike and is not negative: it moves out of the max.
        return y * self.spatial_attention(x).clamp(max=1.0)
