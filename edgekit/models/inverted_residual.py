"""The block that MobileNetV2, MobileNetV3 and EfficientNet-Lite are made of.

Paper: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
https://arxiv.org/abs/1801.04381.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from edgekit.models.choices import OWN, SKIP, block_of
from edgekit.models.layers import Layers, SqueezeExcite, conv_bn, round_channels, same_padding


class InvertedResidual(nn.Module):
    """Widen (1x1), filter each channel (depthwise), narrow (1x1, no activation); add the input.

    Args:
        in_channels: C of the input.
        hidden: channels between; equal to ``in_channels`` leaves the widening out.
        out_channels: C' of the output.
        layers: chooses the 1x1 convolutions and the activations.
        kernel: side of the depthwise kernel.
        stride: of the depthwise convolution; the input is added when it is 1 and C' = C.
        act: the model's own activation.
        norm: makes the batch norm of a channel count.
        squeeze: hidden channels of squeeze-and-excitation; 0 leaves it out.
        size: side of the input map, for TensorFlow's "same" padding; ``None`` pads both sides alike.
    """

    def __init__(
        self,
        in_channels: int,
        hidden: int,
        out_channels: int,
        layers: Layers,
        *,
        kernel: int = 3,
        stride: int = 1,
        act: type[nn.Module] = nn.ReLU6,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        squeeze: int = 0,
        size: int | None = None,
    ):
        super().__init__()
        self.has_shortcut = stride == 1 and in_channels == out_channels
        self.expand = None
        if hidden != in_channels:
            widen = layers.pointwise(in_channels, hidden)
            self.expand = conv_bn(widen, layers.act_for(hidden, act), norm=norm)
        self.depthwise = layers.selective(hidden, hidden, stride, act, norm=norm, groups=hidden)
        if self.depthwise is None:
            pad, padding = same_padding(kernel, stride, size)
            depthwise = nn.Conv2d(hidden, hidden, kernel, stride, padding, groups=hidden, bias=False)
            self.depthwise = conv_bn(depthwise, layers.act_for(hidden, act), norm=norm, pad=pad)
        self.squeeze = SqueezeExcite(hidden, squeeze) if squeeze else None
        self.project = conv_bn(layers.pointwise(hidden, out_channels), norm=norm)
        self.enhance = layers.enhance(out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's output: (B, C, H, W) -> (B, C', H', W')."""
        y = x if self.expand is None else self.expand(x)
        y = self.depthwise(y)
        if self.squeeze is not None:
            y = self.squeeze(y)
        y = self.project(y)
        if self.enhance is not None:
            y = self.enhance(y)
        return x + y if self.has_shortcut else y


def block_at(
    place: int,
    choices: tuple[str, ...] | None,
    in_channels: int,
    hidden: int,
    out_channels: int,
    layers: Layers,
    *,
    kernel: int = 3,
    stride: int = 1,
    squeeze: int = 0,
    **how: Any,
) -> nn.Module:
    """Return the block at a ``place``: the model's own, as the other arguments say, or a chosen one.

    A chosen block keeps the own one's activation, norm, stride, and the share of its channels that
    squeeze-and-excitation has.

    Args:
        choices: as in ``ModelSpec``.

    Raises:
        ValueError: a place is skipped where input and output have unlike shapes.
    """
    choice = OWN if choices is None else choices[place]
    if choice == SKIP:
        if stride != 1 or in_channels != out_channels:
            raise ValueError(
                f"place {place} cannot be skipped: it makes {in_channels} -> {out_channels} channels with "
                f"stride {stride}; choose a block there, such as k3e3"
            )
        return nn.Identity()
    chosen = block_of(choice)
    if chosen is not None:
        kernel, wider = chosen[0], in_channels * chosen[1]
        squeeze = round_channels(squeeze * wider / hidden) if squeeze else 0
        hidden = wider
    shape = {"kernel": kernel, "stride": stride, "squeeze": squeeze}
    return InvertedResidual(in_channels, hidden, out_channels, layers, **shape, **how)
