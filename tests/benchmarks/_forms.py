"""Ways to write a dynamic block for an engine: those that were tried, and the one that is exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from edgekit.export.lower.dynamic_conv import FoldedAttention, StaticKernels, pool
from edgekit.export.lower.dynamic_relu import StaticDynamicReLU
from edgekit.nn import DynamicConv2d, DynamicReLU

EXPORTED = "exported form"


@dataclass(frozen=True)
class Site:
    """A place in MobileNetV2 or ResNet where a block may stand: C -> N channels on an H x H map."""

    block: str
    in_channels: int
    out_channels: int
    side: int

    def __str__(self) -> str:
        return f"{self.block} {self.in_channels}->{self.out_channels} at {self.side}x{self.side}"


SITES = (
    Site("dynamic 1x1", 24, 144, 56),
    Site("dynamic 1x1", 160, 960, 7),
    Site("dynamic 3x3", 64, 64, 28),
    Site("dynamic depthwise", 144, 144, 28),
    Site("DY-ReLU-B", 96, 96, 112),
    Site("DY-ReLU-B", 384, 384, 14),
)


class Between(nn.Module):
    """A block between two static depthwise convolutions, so that its layout has to fit a real net's."""

    def __init__(self, block: nn.Module, site: Site):
        super().__init__()
        self.before = nn.Conv2d(site.in_channels, site.in_channels, 3, padding=1, groups=site.in_channels)
        self.block = block
        self.after = nn.Conv2d(site.out_channels, site.out_channels, 3, padding=1, groups=site.out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.block(self.before(x)))


def static_block(site: Site) -> nn.Module:
    """Return what stands at ``site`` in the static net."""
    if site.block == "DY-ReLU-B":
        return nn.ReLU6()
    return nn.Sequential(nn.Conv2d(**_shape(site)), nn.ReLU6())


def dynamic_block(site: Site) -> nn.Module:
    """Return the eager dynamic block of ``site``, with weights that differ everywhere."""
    block = DynamicReLU(site.in_channels) if site.block == "DY-ReLU-B" else DynamicConv2d(**_shape(site))
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.1)
    return block if site.block == "DY-ReLU-B" else nn.Sequential(block, nn.ReLU6())


def tried_forms(site: Site) -> dict[str, Callable[[nn.Module], nn.Module]]:
    """Return the other forms of a block, by name; each takes the eager block and gives its equal."""
    if site.block == "DY-ReLU-B":
        return {"two lines, as in the paper": TwoLines, "one kink": OneKink}
    forms: dict[str, Callable[[nn.Module], nn.Module]] = {
        "convolution with a computed weight": ComputedWeight
    }
    if site.block == "dynamic 1x1":
        forms["product, channels first"] = ChannelsFirst
        forms["product, channels last, K inputs"] = AllKernels
    if site.block != "dynamic depthwise":
        forms["K static convolutions"] = lambda block: nn.Sequential(StaticKernels(block[0]), block[1])
    return forms


class ComputedWeight(nn.Module):
    """A convolution whose weight is an input of the op, as one writes it in PyTorch."""

    def __init__(self, block: nn.Sequential):
        super().__init__()
        self.conv, self.act = block

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        conv = self.conv
        weight = (conv.attention(x) @ conv.weight.flatten(1)).reshape(conv.weight.shape[1:])
        return self.act(F.conv2d(x, weight, None, conv.stride, conv.padding, conv.dilation, conv.groups))


class _Mixed(nn.Module):
    """Mixes ``rows``, shape (K, M), by the attention: (1, C, H, W) -> (1, M)."""

    def __init__(self, conv: DynamicConv2d, rows: torch.Tensor):
        super().__init__()
        self.attention = FoldedAttention(conv.attention)
        self.mix = nn.Linear(*rows.shape, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(rows.T)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mix(self.attention(pool(x, channels_last=False)))


class ChannelsFirst(nn.Module):
    """The product W (N, C) x (C, HW)."""

    def __init__(self, block: nn.Sequential):
        super().__init__()
        conv, self.act = block
        self.shape = (1, *conv.weight.shape[1:3])
        self.weight = _Mixed(conv, conv.weight.flatten(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.bmm(self.weight(x).reshape(self.shape), x.flatten(2))
        return self.act(y.reshape(1, -1, *x.shape[2:]))


class AllKernels(nn.Module):
    """The product (HW, C) x W (C, N), all K kernels mixed, no kernel as the bias."""

    def __init__(self, block: nn.Sequential):
        super().__init__()
        conv, self.act = block
        kernels, self.outputs, self.inputs = conv.weight.shape[:3]
        rows = conv.weight.reshape(kernels, self.outputs, -1).transpose(1, 2).reshape(kernels, -1)
        self.weight = _Mixed(conv, rows)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[2:]
        flat = x.permute(0, 2, 3, 1).reshape(1, -1, self.inputs)
        y = torch.bmm(flat, self.weight(x).reshape(1, self.inputs, self.outputs))
        y = y.reshape(1, height, width, self.outputs)
        return self.act(y.permute(0, 3, 1, 2).contiguous())


class TwoLines(StaticDynamicReLU):
    """max(a1 x + b1, a2 x + b2)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slope1, slope2, offset1, offset2 = self.coefficients(x)
        return torch.maximum(slope1 * x + offset1, slope2 * x + offset2)


class OneKink(StaticDynamicReLU):
    """lower slope x + difference of slopes max(x, kink) + offset."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slope1, slope2, offset1, offset2 = self.coefficients(x)
        kink = (offset2 - offset1) / (slope1 - slope2)
        low, high = torch.minimum(slope1, slope2), torch.maximum(slope1, slope2)
        offset = offset1 - F.relu(slope2 - slope1) * kink
        return (x * low + offset) + torch.maximum(x, kink) * (high - low)


def _shape(site: Site) -> dict[str, int]:
    kernel = 1 if site.block == "dynamic 1x1" else 3
    groups = site.in_channels if site.block == "dynamic depthwise" else 1
    channels = {"in_channels": site.in_channels, "out_channels": site.out_channels}
    return channels | {"kernel_size": kernel, "padding": kernel // 2, "groups": groups}
