"""Normalisations over what one frame holds, written out: XNNPACK has no kernel for any of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

Tensor = torch.Tensor


def layer_norm(
    x: Tensor, shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the layer norm with mean and scale, as ATen's does."""
    y, mean, scale = _normalised(x, math.prod(shape), eps)
    y = y.reshape(x.shape)
    sides = (*x.shape[: x.ndim - len(shape)], *(1 for _ in shape))
    return _affine(y, weight, bias), mean.reshape(sides), scale.reshape(sides)


def group_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, n: int, channels: int, area: int, groups: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Return the group norm with mean and scale, as ATen's does."""
    y, mean, scale = _normalised(x, channels // groups * area, eps)
    sides = (channels, *(1 for _ in x.shape[2:]))
    affine = [None if one is None else one.reshape(sides) for one in (weight, bias)]
    return _affine(y.reshape(x.shape), *affine), mean.reshape(n, groups), scale.reshape(n, groups)


def instance_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, training: bool, momentum: float, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the batch norm of one frame by its own statistics, which is instance norm."""
    if not training or x.shape[0] != 1:
        return NotImplemented
    channels = x.shape[1]
    return group_norm(x, weight, bias, 1, channels, math.prod(x.shape[2:]), channels, eps)


def _normalised(x: Tensor, size: int, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    rows = x.reshape(-1, size)
    mean = rows.mean(1, keepdim=True)
    apart = rows - mean
    scale = torch.rsqrt((apart * apart).mean(1, keepdim=True) + eps)
    return apart * scale, mean, scale


def _affine(y: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias
