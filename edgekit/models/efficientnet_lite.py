"""EfficientNet-Lite0, 1 and 2.

Source: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite: EfficientNet
(Tan and Le, 1905.11946) without squeeze-and-excitation, with ReLU6, and with a stem and a head that
do not grow. Ours has no stochastic depth in training.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import nn

from edgekit.models.inverted_residual import block_at
from edgekit.models.layers import (
    Layers,
    classifier_head,
    conv_bn,
    init_weights,
    last_map,
    round_channels,
    same_padding,
    strides_for,
)
from edgekit.models.spec import MODELS, ModelEntry, ModelSpec

# expansion, kernel, channels, blocks, stride of the first block
STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
STEM_CHANNELS, STEM_STRIDE, HEAD_CHANNELS = 32, 2, 1280
NORM = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)


class EfficientNetLite(nn.Module):
    """Stem, inverted residual blocks, a 1x1 convolution and the classifier.

    Padding is TensorFlow's "same", which depends on the size of each map: a network is built for
    ``spec.image_size`` and gives its best at that size only.

    Args:
        width: the variant's factor on the blocks' channels, times ``spec.width``.
        depth: the variant's factor on the blocks of a stage; first and last stage do not grow.
        dropout: the variant's own.
    """

    def __init__(self, spec: ModelSpec, width: float, depth: float, dropout: float):
        super().__init__()
        layers = Layers.of(spec)
        stem_stride, *strides = strides_for(spec.image_size, [STEM_STRIDE, *(stage[4] for stage in STAGES)])
        channels = round_channels(STEM_CHANNELS * spec.width)
        pad, padding = same_padding(3, stem_stride, spec.image_size)
        stem = nn.Conv2d(spec.in_channels, channels, 3, stem_stride, padding, bias=False)
        self.stem = conv_bn(stem, layers.act_for(channels, nn.ReLU6), norm=NORM, pad=pad)
        size = last_map(spec.image_size, [stem_stride])
        block = partial(block_at, layers=layers, norm=NORM)
        self.blocks = nn.Sequential()
        for (expansion, kernel, base, repeats, _), stage_stride in zip(STAGES, strides, strict=True):
            out = round_channels(base * width * spec.width)
            for i in range(_grown(repeats, depth)):
                stride = stage_stride if i == 0 else 1
                sizes = (channels, channels * expansion, out)
                chosen = (len(self.blocks), spec.choices)
                self.blocks.append(block(*chosen, *sizes, kernel=kernel, stride=stride, size=size))
                channels, size = out, last_map(size, [stride])
        head = round_channels(HEAD_CHANNELS * max(1.0, spec.width))
        self.head = conv_bn(layers.pointwise(channels, head), layers.act_for(head, nn.ReLU6), norm=NORM)
        self.classifier = classifier_head(
            head, spec.num_classes, dropout if spec.dropout is None else spec.dropout
        )
        init_weights(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits: (B, C, H, W) -> (B, num_classes)."""
        return self.classifier(self.head(self.blocks(self.stem(x))))

    def trunk(self) -> list[nn.Module]:
        """Return the layers up to the last map; see ``edgekit.models.taps``."""
        return [self.stem, *self.blocks]


def _grown(repeats: int, depth: float) -> int:
    return repeats if repeats == 1 else math.ceil(repeats * depth)


for _name, _width, _depth, _image_size, _dropout in (
    ("efficientnet_lite0", 1.0, 1.0, 224, 0.2),
    ("efficientnet_lite1", 1.0, 1.1, 240, 0.2),
    ("efficientnet_lite2", 1.1, 1.2, 260, 0.3),
):
    _build = partial(EfficientNetLite, width=_width, depth=_depth, dropout=_dropout)
    _places = sum(_grown(stage[3], _depth) for stage in STAGES)
    MODELS.register(_name)(ModelEntry(_build, _image_size, places=_places))
