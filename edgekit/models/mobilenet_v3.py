"""MobileNetV3-Small and -Large.

Paper: Howard et al., "Searching for MobileNetV3", ICCV 2019, https://arxiv.org/abs/1905.02244.
With a dynamic ReLU the blocks go without squeeze-and-excitation, as in 2003.10027: the
activation already weighs channels by the input.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from edgekit.models.inverted_residual import block_at
from edgekit.models.layers import Layers, conv_bn, init_weights, round_channels, strides_for
from edgekit.models.spec import MODELS, ModelEntry, ModelSpec

RE, HS = nn.ReLU, nn.Hardswish
# kernel, hidden channels, channels, squeeze-and-excitation, activation, stride
LARGE = (
    (3, 16, 16, False, RE, 1),
    (3, 64, 24, False, RE, 2),
    (3, 72, 24, False, RE, 1),
    (5, 72, 40, True, RE, 2),
    (5, 120, 40, True, RE, 1),
    (5, 120, 40, True, RE, 1),
    (3, 240, 80, False, HS, 2),
    (3, 200, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 480, 112, True, HS, 1),
    (3, 672, 112, True, HS, 1),
    (5, 672, 160, True, HS, 2),
    (5, 960, 160, True, HS, 1),
    (5, 960, 160, True, HS, 1),
)
SMALL = (
    (3, 16, 16, True, RE, 2),
    (3, 72, 24, False, RE, 2),
    (3, 88, 24, False, RE, 1),
    (5, 96, 40, True, HS, 2),
    (5, 240, 40, True, HS, 1),
    (5, 240, 40, True, HS, 1),
    (5, 120, 48, True, HS, 1),
    (5, 144, 48, True, HS, 1),
    (5, 288, 96, True, HS, 2),
    (5, 576, 96, True, HS, 1),
    (5, 576, 96, True, HS, 1),
)
STEM_CHANNELS, STEM_STRIDE = 16, 2
DROPOUT = 0.2
NORM = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)


class MobileNetV3(nn.Module):
    """Stem, inverted residual blocks, a 1x1 convolution and a classifier of two layers.

    Args:
        blocks: one row per block, see ``LARGE`` and ``SMALL``.
        last_channels: width between the two layers of the classifier.
    """

    def __init__(self, spec: ModelSpec, blocks: tuple[tuple, ...], last_channels: int):
        super().__init__()
        layers = Layers.of(spec)
        stem_stride, *strides = strides_for(spec.image_size, [STEM_STRIDE, *(block[5] for block in blocks)])
        channels = round_channels(STEM_CHANNELS * spec.width)
        stem = nn.Conv2d(spec.in_channels, channels, 3, stem_stride, 1, bias=False)
        self.stem = conv_bn(stem, layers.act_for(channels, HS), norm=NORM)
        self.blocks = nn.Sequential()
        for place, ((kernel, hidden, out, has_squeeze, act, _), stride) in enumerate(
            zip(blocks, strides, strict=True)
        ):
            hidden, out = round_channels(hidden * spec.width), round_channels(out * spec.width)
            squeeze = round_channels(hidden // 4) if has_squeeze and not layers.has_dynamic_act else 0
            shape = {"kernel": kernel, "stride": stride, "squeeze": squeeze}
            sizes = (channels, hidden, out)
            self.blocks.append(block_at(place, spec.choices, *sizes, layers, act=act, norm=NORM, **shape))
            channels = out
        head = 6 * channels
        self.head = conv_bn(layers.pointwise(channels, head), layers.act_for(head, HS), norm=NORM)
        last = round_channels(last_channels * spec.width)
        self.classifier = nn.Sequential()
        self.classifier.add_module("pool", nn.AdaptiveAvgPool2d(1))
        self.classifier.add_module("flatten", nn.Flatten())
        self.classifier.add_module("hidden", nn.Linear(head, last))
        self.classifier.add_module("act", nn.ReLU() if spec.act == "relu" else HS())
        self.classifier.add_module("dropout", nn.Dropout(DROPOUT if spec.dropout is None else spec.dropout))
        self.classifier.add_module("linear", nn.Linear(last, spec.num_classes))
        init_weights(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits: (B, C, H, W) -> (B, num_classes)."""
        return self.classifier(self.head(self.blocks(self.stem(x))))

    def trunk(self) -> list[nn.Module]:
        """Return the layers up to the last map; see ``edgekit.models.taps``."""
        return [self.stem, *self.blocks]


for _name, _blocks, _last in (("large", LARGE, 1280), ("small", SMALL, 1024)):
    _build = partial(MobileNetV3, blocks=_blocks, last_channels=_last)
    MODELS.register(f"mobilenet_v3_{_name}")(ModelEntry(_build, places=len(_blocks)))
