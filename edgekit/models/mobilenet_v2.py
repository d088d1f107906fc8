"""MobileNetV2 at any width.

Paper: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
https://arxiv.org/abs/1801.04381.
"""

from __future__ import annotations

import torch
from torch import nn

from edgekit.models.inverted_residual import block_at
from edgekit.models.layers import (
    Layers,
    classifier_head,
    conv_bn,
    init_weights,
    round_channels,
    strides_for,
)
from edgekit.models.spec import MODELS, ModelEntry, ModelSpec

# expansion, channels, blocks, stride of the first block
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM_CHANNELS, STEM_STRIDE, HEAD_CHANNELS = 32, 2, 1280
DROPOUT = 0.2


class MobileNetV2(nn.Module):
    """Stem, inverted residual blocks, a 1x1 convolution and the classifier."""

    def __init__(self, spec: ModelSpec):
        super().__init__()
        layers = Layers.of(spec)
        stem_stride, *strides = strides_for(spec.image_size, [STEM_STRIDE, *(stage[3] for stage in STAGES)])
        channels = round_channels(STEM_CHANNELS * spec.width)
        stem = nn.Conv2d(spec.in_channels, channels, 3, stem_stride, 1, bias=False)
        self.stem = conv_bn(stem, layers.act_for(channels, nn.ReLU6))
        self.blocks = nn.Sequential()
        for (expansion, base, repeats, _), stage_stride in zip(STAGES, strides, strict=True):
            out_channels = round_channels(base * spec.width)
            for i in range(repeats):
                stride = stage_stride if i == 0 else 1
                hidden = channels * expansion
                place = len(self.blocks)
                shape = (channels, hidden, out_channels)
                self.blocks.append(block_at(place, spec.choices, *shape, layers, stride=stride))
                channels = out_channels
        # A narrow net keeps the wide last layer; a wide one widens it.
        head = round_channels(HEAD_CHANNELS * max(1.0, spec.width))
        self.head = conv_bn(layers.pointwise(channels, head), layers.act_for(head, nn.ReLU6))
        dropout = DROPOUT if spec.dropout is None else spec.dropout
        self.classifier = classifier_head(head, spec.num_classes, dropout)
        init_weights(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits: (B, C, H, W) -> (B, num_classes)."""
        return self.classifier(self.head(self.blocks(self.stem(x))))

    def trunk(self) -> list[nn.Module]:
        """Return the layers up to the last map; see ``edgekit.models.taps``."""
        return [self.stem, *self.blocks]


MODELS.register("mobilenet_v2")(ModelEntry(MobileNetV2, places=sum(stage[2] for stage in STAGES)))
