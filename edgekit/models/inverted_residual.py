"""The block that MobileNetV2, MobileNetV3 and EfficientNet-Lite are made of.

Paper: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
https://arxiv.org/abs/1801.04381.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from edgekit.models.layers import Layers, SqueezeExcite, conv_bn, same_padding


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
