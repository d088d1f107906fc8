"""Means, sums and extremes over any axes, in the forms that XNNPACK has kernels for.

It averages a map over its positions and pools windows; what else is reduced becomes one of these, or a
product with a constant column. Each of them keeps a map behind a convolution as it lies in memory, or
moves it once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor
Axes = int | Sequence[int] | None


def mean(x: Tensor, dim: Axes = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """Return the mean over ``dim``; of a map's positions with ``keepdim`` it is XNNPACK's own."""
    axes = _axes(x, dim)
    if dtype not in (None, x.dtype) or not x.is_floating_point() or (_is_map(x, axes) and keepdim):
        return NotImplemented
    return _average(x, axes, keepdim)


def total(x: Tensor, dim: Axes = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """Return the sum over ``dim``."""
    axes = _axes(x, dim)
    if dtype not in (None, x.dtype) or not x.is_floating_point():
        return NotImplemented
    return _average(x, axes, keepdim, float(math.prod(x.shape[axis] for axis in axes)))


def amax(x: Tensor, dim: Axes = None, keepdim: bool = False) -> Tensor:
    """Return the largest along ``dim``, pooled in one window."""
    axes = _axes(x, dim)
    if not x.is_floating_point():
        return NotImplemented
    if _is_map(x, axes):
        return _shaped(F.max_pool2d(x, tuple(x.shape[2:])), x, axes, keepdim)
    rows, before, along, after = _blocks(x, axes)
    if along == 1:
        return _shaped(x, x, axes, keepdim)
    if after == 1:
        return _shaped(F.max_pool2d(rows.reshape(1, 1, before, along), (1, along)), x, axes, keepdim)
    return _shaped(F.max_pool2d(_columns(rows), (along, 1)), x, axes, keepdim)


def amin(x: Tensor, dim: Axes = None, keepdim: bool = False) -> Tensor:
    """Return the smallest along ``dim``."""
    return -amax(-x, dim, keepdim) if x.is_floating_point() else NotImplemented


def with_places(largest: Callable[..., Tensor], place: Callable[..., Tensor]) -> Callable[..., Any]:
    """Return ``max`` or ``min`` over one axis; its second result is dropped where nobody reads it."""

    def reduce(x: Tensor, dim: int, keepdim: bool = False) -> Any:
        values = largest(x, dim, keepdim)
        return NotImplemented if values is NotImplemented else (values, place(x, dim, keepdim))

    return reduce


def variance(x: Tensor, dim: Axes = None, *, correction: float | None = 1, keepdim: bool = False) -> Tensor:
    """Return the variance over ``dim``, the mean taken off first."""
    axes = _axes(x, dim)
    count = math.prod(x.shape[axis] for axis in axes)
    apart = x - x.mean(axes, keepdim=True)
    free = count - (1 if correction is None else correction)
    return (apart * apart).mean(axes, keepdim=keepdim) * (count / free)


def vector_norm(
    x: Tensor, order: float = 2, dim: Axes = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    """Return the norm of order 1, 2 or infinity over ``dim``."""
    if dtype not in (None, x.dtype) or not x.is_floating_point():
        return NotImplemented
    axes = _axes(x, dim)
    if order == 2:
        return (x * x).sum(axes, keepdim=keepdim).sqrt()
    if order == 1:
        return x.abs().sum(axes, keepdim=keepdim)
    return x.abs().amax(axes, keepdim=keepdim) if order == math.inf else NotImplemented


def _average(x: Tensor, axes: Sequence[int], keepdim: bool, scale: float = 1.0) -> Tensor:
    """Return ``scale`` times the mean over ``axes``."""
    if _is_map(x, axes):
        found = x.mean((2, 3), keepdim=True)
        return _shaped(found if scale == 1.0 else found * scale, x, axes, keepdim)
    if x.ndim == 4 and axes == [1]:  # over the channels of a map: as it lies in memory
        weight = torch.full((1, x.shape[1], 1, 1), scale / x.shape[1])
        return _shaped(F.conv2d(x, weight), x, axes, keepdim)
    rows, before, along, after = _blocks(x, axes)
    if along == 1:
        return _shaped(x if scale == 1.0 else x * scale, x, axes, keepdim)
    if after == 1:
        column = torch.full((1, along), scale / along)
        return _shaped(F.linear(rows.reshape(before, along), column), x, axes, keepdim)
    found = _columns(rows).mean((2, 3), keepdim=True)
    return _shaped(found if scale == 1.0 else found * scale, x, axes, keepdim)


def _axes(x: Tensor, dim: Axes) -> list[int]:
    """Return the axes that ``dim`` names, in order; none names all."""
    dims = [dim] if isinstance(dim, int) else list(dim or ())
    return sorted({axis % x.ndim for axis in dims}) if dims and x.ndim else list(range(x.ndim))


def _is_map(x: Tensor, axes: Sequence[int]) -> bool:
    return x.ndim == 4 and list(axes) == [2, 3]


def _blocks(x: Tensor, axes: Sequence[int]) -> tuple[Tensor, int, int, int]:
    """Return ``x`` as (before, along, after), reduced along the middle, and these three sizes."""
    if list(axes) != list(range(axes[0], axes[0] + len(axes))):
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        x, axes = x.permute(*kept, *axes), list(range(len(kept), x.ndim))
    first, last = axes[0], axes[-1] + 1
    before, along, after = (
        math.prod(part) for part in (x.shape[:first], x.shape[first:last], x.shape[last:])
    )
    return x.reshape(before, along, after), before, along, after


def _columns(rows: Tensor) -> Tensor:
    """Return (before, along, after) as maps one column wide, (before, after, along, 1)."""
    return rows.transpose(1, 2).unsqueeze(3)


def _shaped(found: Tensor, x: Tensor, axes: Sequence[int], keepdim: bool) -> Tensor:
    """Return what was found for ``x`` in the shape that reducing ``axes`` gives."""
    sides = [1 if axis in axes else side for axis, side in enumerate(x.shape)]
    shape = sides if keepdim else [side for axis, side in enumerate(sides) if axis not in axes]
    return found if list(found.shape) == shape else found.reshape(shape)
