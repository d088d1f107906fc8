"""Patches of maps, taken out and laid back, as convolutions with kernels of 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from edgekit.export.lower.selections import ones_at, select_places

Tensor = torch.Tensor


def unfold(
    x: Tensor, kernel: Sequence[int], dilation: Sequence[int], padding: Sequence[int], stride: Sequence[int]
) -> Tensor:
    """Return patches as ``F.unfold`` does, shape (B, C * kernel, positions): a kernel for each value."""
    if x.ndim != 4 or not x.is_floating_point():
        return NotImplemented
    taken = F.conv2d(
        x, _ones(x.shape[1], kernel), None, list(stride), list(padding), list(dilation), groups=x.shape[1]
    )
    return taken.reshape(x.shape[0], taken.shape[1], -1)


def fold(
    x: Tensor,
    size: Sequence[int],
    kernel: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> Tensor:
    """Return the map that patches, shape (B, C * kernel, positions), add up to, as ``F.fold`` does."""
    if x.ndim != 3 or not x.is_floating_point():
        return NotImplemented
    channels = x.shape[1] // math.prod(kernel)
    reach = [
        d * (k - 1) + 1 - 2 * p for d, k, p in zip(dilation, kernel, padding, strict=True)
    ]  # of one patch, less the margins
    steps = [(side - r) // s for side, r, s in zip(size, reach, stride, strict=True)]
    beyond = [side - s * n - r for side, r, s, n in zip(size, reach, stride, steps, strict=True)]
    laid = x.reshape(x.shape[0], x.shape[1], *(n + 1 for n in steps))
    return F.conv_transpose2d(
        laid, _ones(channels, kernel), None, list(stride), list(padding), beyond, channels, list(dilation)
    )


def windows(x: Tensor, dim: int, size: int, step: int) -> Tensor:
    """Return windows along ``dim`` as ``Tensor.unfold`` does: cut without overlap, else by a product."""
    if not x.is_floating_point() or not x.ndim:
        return NotImplemented
    dim %= x.ndim
    count = (x.shape[dim] - size) // step + 1
    before, after = tuple(x.shape[:dim]), tuple(x.shape[dim + 1 :])
    order = [*range(dim + 1), *range(dim + 2, x.ndim + 1), dim + 1]
    if step == size:
        return x.narrow(dim, 0, count * size).reshape(*before, count, size, *after).permute(order)
    places = [window * step + place for window in range(count) for place in range(size)]
    return select_places(x, dim, places).reshape(*before, count, size, *after).permute(order)


def _ones(channels: int, kernel: Sequence[int]) -> Tensor:
    """Return a kernel for each place of a patch, a 1 there, for each of the channels."""
    places = math.prod(kernel)
    one = ones_at(range(places), places).reshape(places, 1, *kernel)
    return torch.cat([one] * channels)
