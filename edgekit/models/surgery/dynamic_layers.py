"""How torch-pruning's functions look for the layers it does not know: edgekit's blocks."""

from __future__ import annotations

import torch
import torch_pruning as tp
from torch import nn

from edgekit.nn import DynamicConv2d, DynamicReLU, SpatialGroupEnhance


def _kept(channels: int, pruned: list[int]) -> torch.Tensor:
    gone = set(pruned)
    return torch.tensor([i for i in range(channels) if i not in gone])


def _keep(parameter: nn.Parameter, kept: torch.Tensor, dim: int) -> nn.Parameter:
    return nn.Parameter(parameter.detach().index_select(dim, kept.to(parameter.device)))


class DynamicConvPruner(tp.BasePruningFunc):
    """Removes channels of a ``DynamicConv2d``: weight (K, N, C, kh, kw), bias (K, N), attention's input C."""

    def prune_out_channels(self, layer: DynamicConv2d, idxs: list[int]) -> nn.Module:
        kept = _kept(layer.out_channels, idxs)
        layer.weight = _keep(layer.weight, kept, 1)
        if layer.bias is not None:
            layer.bias = _keep(layer.bias, kept, 1)
        layer.out_channels = len(kept)
        return layer

    def prune_in_channels(self, layer: DynamicConv2d, idxs: list[int]) -> nn.Module:
        kept = _kept(layer.in_channels, idxs)
        layer.weight = _keep(layer.weight, kept, 2)
        layer.in_channels = len(kept)
        tp.prune_conv_in_channels(layer.attention.fc1, idxs)
        return layer

    def get_out_channels(self, layer: DynamicConv2d) -> int:
        return layer.out_channels

    def get_in_channels(self, layer: DynamicConv2d) -> int:
        return layer.in_channels


class DynamicReLUPruner(tp.BasePruningFunc):
    """Removes channels of a ``DynamicReLU``: the hyper-function's input and the rows of its four heads."""

    def prune_out_channels(self, layer: DynamicReLU, idxs: list[int]) -> nn.Module:
        tp.prune_conv_in_channels(layer.fc1, idxs)
        for head in (layer.slope1, layer.slope2, layer.offset1, layer.offset2):
            tp.prune_conv_out_channels(head, idxs)
        if layer.spatial is not None:
            tp.prune_conv_in_channels(layer.spatial, idxs)
        return layer

    prune_in_channels = prune_out_channels

    def get_out_channels(self, layer: DynamicReLU) -> int:
        return layer.fc1.in_channels

    get_in_channels = get_out_channels


class SpatialGroupEnhancePruner(tp.BasePruningFunc):
    """Removes channels of a ``SpatialGroupEnhance``: its groups may become unequal, and stay."""

    def prune_out_channels(self, layer: SpatialGroupEnhance, idxs: list[int]) -> nn.Module:
        kept = _kept(layer.membership.shape[1], idxs).to(layer.membership.device)
        layer.membership = layer.membership.index_select(1, kept)
        return layer

    prune_in_channels = prune_out_channels

    def get_out_channels(self, layer: SpatialGroupEnhance) -> int:
        return layer.membership.shape[1]

    get_in_channels = get_out_channels


PRUNERS: dict[type[nn.Module], tp.BasePruningFunc] = {
    DynamicConv2d: DynamicConvPruner(),
    DynamicReLU: DynamicReLUPruner(),
    SpatialGroupEnhance: SpatialGroupEnhancePruner(),
}


def stand_in(layer: nn.Module) -> nn.Module:
    """Return a plain layer with the same channels for tracing; it computes something else.

    torch-pruning follows autograd's graph. Inside a dynamic layer it would meet reshapes that fold
    channels into other sizes and guess wrong indices; outside, only the channels matter. Each weight
    is the norm of the kernels' weights that it stands for, so that a filter keeps its norm.
    """
    if isinstance(layer, DynamicConv2d):
        plain = nn.Conv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            layer.stride,
            layer.padding,
            layer.dilation,
            layer.groups,
        )
        plain.weight = nn.Parameter(layer.weight.detach().norm(dim=0))
        return plain
    return nn.PReLU(PRUNERS[type(layer)].get_out_channels(layer))


def why_not(layer: nn.Module) -> str | None:
    """Return why no channel of ``layer`` can be removed, or ``None`` if one can."""
    if isinstance(layer, nn.Conv2d) and layer.groups not in (1, layer.out_channels):
        return (
            f"a convolution of {layer.groups} groups, which have to stay as wide as each other; only "
            "ungrouped and depthwise ones can be pruned"
        )
    if isinstance(layer, DynamicConv2d) and layer.groups != 1:
        return (
            f"a dynamic convolution of {layer.groups} groups, only ungrouped ones can be pruned: "
            "keep grouped convolutions static"
        )
    if isinstance(layer, DynamicReLU) and layer.variant == "a":
        return (
            "DynamicReLU 'a', whose offsets all channels share: a pruned channel would not be zero "
            "behind it; use variant 'b' or 'c'"
        )
    return None
