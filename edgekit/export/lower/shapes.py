"""Ops that take parts of a tensor or change the number of its axes, as slices, reshapes and joins."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor
_JOINED = 5  # tensors that LiteRT's delegate joins in one op at most


def select(x: Tensor, dim: int, index: int) -> Tensor:
    """Return one entry along ``dim``, without that axis."""
    dim %= x.ndim
    return x.narrow(dim, index % x.shape[dim], 1).reshape(x.shape[:dim] + x.shape[dim + 1 :])


def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """Return ``x`` with an axis of size 1 before ``dim``; XNNPACK adds only a last one."""
    dim %= x.ndim + 1
    return x.reshape(*x.shape[:dim], 1, *x.shape[dim:])


def squeeze(x: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return ``x`` without its axes of size 1, or without those of ``dim`` that have it."""
    dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    dropped = {axis % x.ndim for axis in dims} if x.ndim else set()
    return x.reshape([side for axis, side in enumerate(x.shape) if axis not in dropped or side != 1])


def split(x: Tensor, size: int | Sequence[int], dim: int = 0) -> list[Tensor]:
    """Return the parts of ``x`` along ``dim``, each of ``size`` or of the sizes given."""
    side = x.shape[dim]
    step = size if isinstance(size, int) else 0
    sizes = [min(step, side - i) for i in range(0, side, step)] if step else list(size)  # type: ignore[arg-type]
    starts = itertools.accumulate(sizes, initial=0)
    return [x.narrow(dim, start, length) for start, length in zip(starts, sizes, strict=False)]


def unbind(x: Tensor, dim: int = 0) -> list[Tensor]:
    """Return the entries of ``x`` along ``dim``, without that axis."""
    return [select(x, dim, i) for i in range(x.shape[dim])]


def replace_slice(
    x: Tensor, part: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """Write ``x[start:end] = part`` as a join of what is before, the part and what is behind."""
    if step != 1:
        return NotImplemented
    side = x.shape[dim]
    first, last, _ = slice(start, end, 1).indices(side)
    pieces = [x.narrow(dim, 0, first), part, x.narrow(dim, last, side - last)]
    kept = [piece for piece in pieces if piece.shape[dim]]
    return torch.cat(kept, dim) if len(kept) > 1 else part


def replace_entry(x: Tensor, part: Tensor, dim: int, index: int) -> Tensor:
    """Write ``x[index] = part`` as that of a slice of one entry."""
    dim, index = dim % x.ndim, index % x.shape[dim]
    return replace_slice(x, part.unsqueeze(dim), dim, index, index + 1)


def copy(x: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:
    """Write ``x[...] = source`` as the source in the shape of ``x``."""
    return source.expand(x.shape) if source.dtype == x.dtype else NotImplemented


def strided_slice(
    x: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """Write a slice with a step: cut rows of ``step`` entries, of which the first is kept."""
    if step == 1:
        return NotImplemented
    dim %= x.ndim
    first, last, _ = slice(start, end, 1).indices(x.shape[dim])
    count = max(0, -(-(last - first) // step))
    if not count or x.ndim > 5:
        return NotImplemented
    missing = first + count * step - x.shape[dim]
    if missing > 0:
        x = F.pad(x, (0, 0) * (x.ndim - 1 - dim) + (0, missing))
    rows = x.narrow(dim, first, count * step)
    rows = rows.reshape(*x.shape[:dim], count, step * math.prod(x.shape[dim + 1 :]))
    return rows.narrow(dim + 1, 0, math.prod(x.shape[dim + 1 :])).reshape(
        *x.shape[:dim], count, *x.shape[dim + 1 :]
    )


def diagonal(x: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return the entries (i, i + ``offset``) of two axes: a slice with a step of both in one row."""
    dims = (dim1 % x.ndim, dim2 % x.ndim)
    rows, columns = (x.shape[dim] for dim in dims)
    first = offset if offset >= 0 else -offset * columns
    count = min(rows + min(offset, 0), columns - max(offset, 0))
    if count <= 0:
        return NotImplemented
    rest = [axis for axis in range(x.ndim) if axis not in dims]
    flat = x.permute(*rest, *dims).reshape(*(x.shape[axis] for axis in rest), rows * columns)
    return flat[..., first : first + (count - 1) * (columns + 1) + 1 : columns + 1]


def pad(x: Tensor, margins: Sequence[int], value: float = 0.0) -> Tensor:
    """Write a margin below 0 as a slice: ExecuTorch 1.5.1 makes a file of it that cannot run."""
    if min(margins) >= 0:
        return NotImplemented
    for i in range(0, len(margins), 2):
        dim = x.ndim - 1 - i // 2
        before, after = max(0, -margins[i]), max(0, -margins[i + 1])
        x = x.narrow(dim, before, x.shape[dim] - before - after)
    kept = [max(0, margin) for margin in margins]
    return F.pad(x, kept, value=value) if any(kept) else x


def roll(x: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] = ()) -> Tensor:
    """Return ``x`` turned along ``dims``: its end, then its beginning."""
    shifts = [shifts] if isinstance(shifts, int) else shifts
    dims = [dims] if isinstance(dims, int) else dims
    if not dims:
        return x.reshape(-1).roll(shifts, 0).reshape(x.shape)
    for shift, dim in zip(shifts, dims, strict=True):
        side = x.shape[dim]
        if tail := shift % side:
            x = torch.cat((x.narrow(dim, side - tail, tail), x.narrow(dim, 0, side - tail)), dim)
    return x


def repeat(x: Tensor, repeats: Sequence[int]) -> Tensor:
    """Return ``x`` side by side with itself: one axis after the other, each as a broadcast."""
    x = x.reshape((1,) * (len(repeats) - x.ndim) + tuple(x.shape))
    for axis, count in enumerate(repeats):
        if count > 1:
            before, rest = math.prod(x.shape[:axis]), math.prod(x.shape[axis:])
            wide = x.reshape(before, 1, rest).expand(before, count, rest)
            x = wide.reshape(*x.shape[:axis], count * x.shape[axis], *x.shape[axis + 1 :])
    return x


def join_few(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Write a join of more than five as a join of joins.

    The reshape between keeps LiteRT's converter from making one op of them, which its delegate leaves.
    """
    kept = [tensor for tensor in tensors if tensor.shape != (0,)]
    if len(kept) <= _JOINED:
        return NotImplemented
    dim %= kept[0].ndim
    parts = [torch.cat(kept[i : i + _JOINED], dim) for i in range(0, len(kept), _JOINED)]
    before, after = math.prod(kept[0].shape[:dim]), kept[0].shape[dim + 1 :]
    flat = [part.reshape(before, part.shape[dim] * math.prod(after)) for part in parts]
    return torch.cat(flat, 1).reshape(*kept[0].shape[:dim], -1, *after)


def join_same(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Write a join of a tensor with itself, or of one alone, as its repetition.

    ExecuTorch 1.5.1 counts one operand, which its delegate does not join.
    """
    first = tensors[0]
    if any(tensor is not first for tensor in tensors):
        return NotImplemented
    return repeat(first, [len(tensors) if axis == dim % first.ndim else 1 for axis in range(first.ndim)])


def full_like(x: Tensor, value: Any, *, dtype: torch.dtype | None = None, **kwargs: Any) -> Tensor:
    """Write a constant of the shape of a tensor as one of a given shape, which can be stored."""
    return torch.full(tuple(x.shape), value, dtype=dtype or x.dtype)


def filled_like(value: float) -> Any:
    """Return ``zeros_like`` or ``ones_like``."""
    return lambda x, **kwargs: full_like(x, value, **kwargs)
