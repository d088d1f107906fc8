"""Fold batch norm into the convolution before it.

For a dynamic convolution this saves a pass over the map (its shift needs no mixing, as the mix
sums to one). XNNPACK and LiteRT fold static ones by themselves; done here it halves the number of
nodes they work through, and with it much of the time an export takes.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from edgekit.nn import DynamicConv2d


def fold_batch_norm(model: nn.Module) -> None:
    """Fold, in place, each ``BatchNorm2d`` that follows a convolution in a ``Sequential``.

    Other containers do not tell what their forward does, so they are left to the exporter. The
    model must be in evaluation mode.
    """
    uses = _count_uses(model)
    for parent in list(model.modules()):
        if not isinstance(parent, nn.Sequential):
            continue
        for first, second in itertools.pairwise(parent._modules):
            conv, norm = parent._modules[first], parent._modules[second]
            if type(norm) is not nn.BatchNorm2d or norm.running_mean is None or uses[conv] != 1:
                continue
            if type(conv) is nn.Conv2d:
                parent._modules[first] = fuse_conv_bn_eval(conv, norm)
            elif type(conv) is DynamicConv2d:
                _fold(conv, norm)
            else:
                continue
            parent._modules[second] = nn.Identity()


def _fold(conv: DynamicConv2d, norm: nn.BatchNorm2d) -> None:
    """Give each of the K kernels the norm's scale and each bias its shift."""
    with torch.no_grad():
        scale = torch.rsqrt(norm.running_var + norm.eps)  # (N,)
        if norm.weight is not None:
            scale = scale * norm.weight
        shift = -norm.running_mean * scale
        if norm.bias is not None:
            shift = shift + norm.bias
        if conv.bias is None:
            conv.bias = nn.Parameter(torch.zeros(conv.weight.shape[:2]))
        conv.weight.mul_(scale.reshape(1, -1, 1, 1, 1))
        conv.bias.mul_(scale).add_(shift)  # (K, N)


def _count_uses(model: nn.Module) -> dict[nn.Module, int]:
    uses: dict[nn.Module, int] = {}
    for parent in model.modules():
        for child in parent._modules.values():
            if child is not None:
                uses[child] = uses.get(child, 0) + 1
    return uses
