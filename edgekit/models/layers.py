"""Parts that the model files share, and the one place where activations and convolutions are chosen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from edgekit.models.spec import ModelSpec
from edgekit.nn import DynamicConv2d, DynamicReLU, SelectiveKernel, SpatialGroupEnhance

SMALL_IMAGE = 64
SMALLEST_MAP = 4


@dataclass(frozen=True)
class Layers:
    """Makes the layers a spec may exchange; model files ask it instead of ``torch.nn``.

    Example:
        >>> layers = Layers(act="dyrelu-b", dynamic_conv="pointwise")
        >>> type(layers.pointwise(8, 16)).__name__, type(layers.act_for(16, nn.ReLU6)).__name__
        ('DynamicConv2d', 'DynamicReLU')
    """

    act: str = "default"
    dynamic_conv: str = "none"
    kernels: int = 4
    block: str = "none"
    erase_relu: bool = False

    @staticmethod
    def of(spec: ModelSpec) -> Layers:
        """Return the factory for ``spec``."""
        return Layers(spec.act, spec.dynamic_conv, spec.kernels, spec.block, spec.erase_relu)

    @property
    def has_dynamic_act(self) -> bool:
        return self.act.startswith("dyrelu")

    def pointwise(self, in_channels: int, out_channels: int, stride: int = 1) -> nn.Module:
        """Return a 1x1 convolution without bias."""
        if self.dynamic_conv == "pointwise":
            return DynamicConv2d(in_channels, out_channels, 1, stride, kernels=self.kernels)
        return nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def act_for(self, channels: int, default: type[nn.Module]) -> nn.Module:
        """Return the activation of a map with ``channels``; ``default`` is the model's own."""
        if self.has_dynamic_act:
            return DynamicReLU(channels, variant=self.act[-1])
        return nn.ReLU() if self.act == "relu" else default()

    def last_act_for(self, channels: int, default: type[nn.Module]) -> nn.Module:
        """Return the activation behind a block's addition; erased, it does nothing."""
        return nn.Identity() if self.erase_relu else self.act_for(channels, default)

    def selective(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        act: type[nn.Module],
        *,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        groups: int = 1,
    ) -> nn.Module | None:
        """Return the selective kernel that stands for a convolution with batch norm and ``act``, or ``None``.

        Its branches stay 3x3 and 3x3 dilated whatever the model's own kernel is, and keep a static
        activation: the shares of the branches already follow the input.
        """
        if self.block != "sk":
            return None
        act = nn.ReLU if self.act == "relu" else act
        return SelectiveKernel(in_channels, out_channels, stride, groups, act=act, norm=norm)

    def enhance(self, channels: int) -> nn.Module | None:
        """Return what weighs the positions of a block's last map, or ``None``."""
        return SpatialGroupEnhance(channels) if self.block == "sge" else None


def conv_bn(
    conv: nn.Module,
    act: nn.Module | None = None,
    *,
    norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    pad: nn.Module | None = None,
) -> nn.Sequential:
    """Return ``conv``, batch norm and the activation in a row, named ``pad``, ``conv``, ``bn``, ``act``."""
    parts = OrderedDict(pad=pad, conv=conv, bn=norm(conv.out_channels), act=act)
    return nn.Sequential(OrderedDict((name, part) for name, part in parts.items() if part is not None))


def classifier_head(in_channels: int, num_classes: int, dropout: float) -> nn.Sequential:
    """Return pooling, dropout and the linear classifier: (B, C, H, W) -> (B, num_classes)."""
    return nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            dropout=nn.Dropout(dropout),
            linear=nn.Linear(in_channels, num_classes),
        )
    )


def round_channels(channels: float, divisor: int = 8) -> int:
    """Return ``channels`` rounded to a multiple of ``divisor``, never more than 10 % below.

    The rule of the MobileNet papers: 8 channels are what the kernels of XNNPACK and NEON work on.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def strides_for(image_size: int, strides: Sequence[int]) -> list[int]:
    """Return the network's ``strides``, eased for small images.

    Networks made for 224 pixels divide the side by 32, which leaves one position of a 32-pixel
    image. Up to 64 pixels, strides are therefore set to 1, the stem's first and then stage by
    stage, until the last map has at least 4x4 positions. So a side is divided by 16 at 64
    pixels, by 8 at 32 (the usual CIFAR form), by 4 at 16 and by 2 at 8.

    Args:
        image_size: side of the input in pixels.
        strides: of stem and stages, front to back.
    """
    eased = list(strides)
    if image_size > SMALL_IMAGE:
        return eased
    for i in range(len(eased)):
        if last_map(image_size, eased) >= SMALLEST_MAP:
            break
        eased[i] = 1
    return eased


def last_map(image_size: int, strides: Sequence[int]) -> int:
    """Return the side of the last map, as convolutions with "same" padding make it."""
    for stride in strides:
        image_size = -(-image_size // stride)
    return image_size


def same_padding(kernel: int, stride: int, size: int | None) -> tuple[nn.Module | None, int]:
    """Return a padding layer, if one is needed, and the padding of the convolution itself.

    TensorFlow's "same" padding of a strided convolution is one larger on the right and bottom when
    the map's side is even. A convolution cannot pad unevenly, so only then a layer does it.

    Args:
        kernel, stride: of the convolution.
        size: side of its input map; ``None`` asks for PyTorch's usual even padding.
    """
    if size is None:
        return None, (kernel - 1) // 2
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    before, after = total // 2, total - total // 2
    if before == after:
        return None, before
    return nn.ZeroPad2d((before, after, before, after)), 0


def init_weights(model: nn.Module) -> None:
    """Initialise as the MobileNet and ResNet papers' code does; dynamic blocks have their own start.

    Convolutions: normal with variance 2 / fan-out; classifier: normal with deviation 0.01;
    batch norm: one and zero (its default).
    """
    dynamic = [module for module in model.modules() if isinstance(module, DynamicConv2d | DynamicReLU)]
    own = {part for block in dynamic for part in block.modules()}
    for module in model.modules():
        if module in own:
            continue
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


class HardSigmoid(nn.Module):
    """Return relu6(x + 3) / 6, as ``nn.Hardsigmoid`` does.

    Its numbers are buffers: of Python numbers ExecuTorch makes copies that XNNPACK leaves outside
    its delegate.
    """

    def __init__(self):
        super().__init__()
        self.act = nn.ReLU6()
        self.register_buffer("three", torch.full((1, 1, 1, 1), 3.0), persistent=False)
        self.register_buffer("sixth", torch.full((1, 1, 1, 1), 1 / 6), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return values in [0, 1] of the same shape (B, C, H, W)."""
        return self.act(x + self.three) * self.sixth


class SqueezeExcite(nn.Module):
    """Weigh the channels by a small network on their means, gated by a hard sigmoid.

    Squeeze-and-excitation (1709.01507) in the form of MobileNetV3.

    Args:
        channels: C of the map.
        hidden: channels between the two layers.
    """

    keeps_float = True  # when the model is quantised

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.act = nn.ReLU()
        self.fc2 = nn.Conv2d(hidden, channels, 1)
        self.gate = HardSigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the weighted map: (B, C, H, W) -> (B, C, H, W)."""
        return x * self.gate(self.fc2(self.act(self.fc1(self.pool(x)))))
