"""ResNet-18 for ImageNet, ResNet-20 and -56 for CIFAR.

Paper: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016,
https://arxiv.org/abs/1512.03385. Where a shortcut changes shape ours is a 1x1 convolution (the
paper's option B) in the CIFAR nets too: padding channels (option A) would neither prune nor export
well. These shortcuts are the only 1x1 convolutions, so the only ones ``dynamic_conv`` changes.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from edgekit.models.layers import (
    Layers,
    classifier_head,
    conv_bn,
    init_weights,
    round_channels,
    strides_for,
)
from edgekit.models.spec import MODELS, ModelEntry, ModelSpec


class BasicBlock(nn.Module):
    """Two 3x3 convolutions; the input is added before the last activation."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, layers: Layers):
        super().__init__()
        self.conv1 = layers.selective(in_channels, out_channels, stride, nn.ReLU)
        if self.conv1 is None:
            first = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
            self.conv1 = conv_bn(first, layers.act_for(out_channels, nn.ReLU))
        self.conv2 = conv_bn(nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False))
        self.enhance = layers.enhance(out_channels)
        self.shortcut = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = conv_bn(layers.pointwise(in_channels, out_channels, stride))
        self.act = layers.last_act_for(out_channels, nn.ReLU)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's output: (B, C, H, W) -> (B, C', H', W')."""
        y = self.conv2(self.conv1(x))
        if self.enhance is not None:
            y = self.enhance(y)
        return self.act(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet(nn.Module):
    """Stem, stages of basic blocks, and the classifier.

    Args:
        depths: blocks of each stage; every stage after the first halves the map and doubles the channels.
        channels: of the stem and the first stage.
        stem: strides of the stem's convolution and of its pooling. A convolution of stride 2 is 7x7,
            of stride 1 is 3x3; a pooling of stride 1 is left out. So small images get the CIFAR stem.
    """

    def __init__(self, spec: ModelSpec, depths: tuple[int, ...], channels: int, stem: tuple[int, int]):
        super().__init__()
        layers = Layers.of(spec)
        own = [*stem, 1, *[2] * (len(depths) - 1)]
        stem_stride, pool_stride, *strides = strides_for(spec.image_size, own)
        width = round_channels(channels * spec.width)
        kernel = 7 if stem_stride == 2 else 3
        conv = nn.Conv2d(spec.in_channels, width, kernel, stem_stride, kernel // 2, bias=False)
        self.stem = conv_bn(conv, layers.act_for(width, nn.ReLU))
        self.pool = None
        if pool_stride == 2:
            # Zeros pad as well as the usual -inf behind a ReLU, and LiteRT's delegate takes them.
            self.pool = nn.Sequential(nn.ZeroPad2d(1), nn.MaxPool2d(3, 2))
        self.stages = nn.Sequential()
        for index, (depth, stride) in enumerate(zip(depths, strides, strict=True)):
            out = round_channels(channels * 2**index * spec.width)
            stage = nn.Sequential(BasicBlock(width, out, stride, layers))
            for _ in range(depth - 1):
                stage.append(BasicBlock(out, out, 1, layers))
            self.stages.append(stage)
            width = out
        self.classifier = classifier_head(width, spec.num_classes, spec.dropout or 0.0)
        init_weights(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits: (B, C, H, W) -> (B, num_classes)."""
        x = self.stem(x)
        if self.pool is not None:
            x = self.pool(x)
        return self.classifier(self.stages(x))

    def trunk(self) -> list[nn.Module]:
        """Return the layers up to the last map; see ``edgekit.models.taps``."""
        pool = [] if self.pool is None else [self.pool]
        return [self.stem, *pool, *(block for stage in self.stages for block in stage)]


MODELS.register("resnet18")(
    ModelEntry(partial(ResNet, depths=(2, 2, 2, 2), channels=64, stem=(2, 2)), acts_last=True)
)
for _name, _depth in (("resnet20", 3), ("resnet56", 9)):
    _build = partial(ResNet, depths=(_depth, _depth, _depth), channels=16, stem=(1, 1))
    MODELS.register(_name)(ModelEntry(_build, image_size=32, num_classes=10, acts_last=True))
