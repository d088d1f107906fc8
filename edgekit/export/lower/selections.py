"""Entries of a tensor in another order, or several times: XNNPACK has no kernel that gathers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

Tensor = torch.Tensor


def select_places(x: Tensor, dim: int, places: Sequence[int]) -> Tensor:
    """Return the entries of ``x`` at ``places`` along ``dim``, by a product with 0 and 1."""
    dim %= x.ndim
    matrix = ones_at(places, x.shape[dim])  # (places, side)
    if dim == 1 and x.ndim == 4:  # the channels of a map: as it lies in memory
        return F.conv2d(x, matrix.reshape(*matrix.shape, 1, 1))
    if dim == x.ndim - 1:
        return F.linear(x, matrix)
    return F.linear(x.transpose(dim, -1), matrix).transpose(dim, -1)


def ones_at(places: Sequence[int], side: int) -> Tensor:
    """Return a row of ``side`` zeros for each place, with a 1 there.

    Made of ops that every engine's exporter folds; ``torch.eye`` stays in LiteRT's file.
    """
    rows = [
        F.pad(torch.full((len(list(run)), 1), 1.0), (place, side - 1 - place))
        for place, run in itertools.groupby(places)
    ]
    return torch.cat(rows)


def embedding_bag(
    table: Tensor,
    places: Tensor,
    starts: Tensor,
    scale_by_frequency: bool = False,
    mode: int = 0,
    sparse: bool = False,
    factors: Tensor | None = None,
    with_last: bool = False,
    left_out: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Write a bag of entries of a table as the sum, the mean or the largest of what is looked up.

    Of several bags the traced op does not tell where each begins.
    """
    if starts.shape[0] != 1 or with_last or left_out is not None:
        return NotImplemented
    found = F.embedding(places, table)
    if factors is not None:
        found = found * factors.unsqueeze(-1)
    bag = (found.sum, found.mean, found.amax)[mode](0, keepdim=True)
    return bag, places, starts, starts


def one_hot(places: Tensor, classes: int) -> Tensor:
    """Write it as a comparison, without the check of the values that no engine has an op for."""
    if classes < 0:
        return NotImplemented
    return (places.unsqueeze(-1) == torch.arange(classes)).to(torch.int64)


def flip(x: Tensor, dims: Sequence[int]) -> Tensor:
    """Return ``x`` with the entries along ``dims`` in the reverse order."""
    if not x.is_floating_point():
        return NotImplemented
    for dim in dims:
        side = x.shape[dim]
        if side == 2:
            x = torch.cat((x.narrow(dim, 1, 1), x.narrow(dim, 0, 1)), dim)
        elif side > 2:
            x = select_places(x, dim, range(side)[::-1])
    return x


def nearest(
    x: Tensor, sizes: Sequence[int] | None, factors: Sequence[float] | None, *, shift: float = 0.0
) -> Tensor:
    """Return ``x`` larger or smaller by repeating or leaving out entries along all axes but two.

    Args:
        sizes: of the result; ``None``: what ``factors`` gives.
        factors: how much larger.
        shift: of the place that is read, in entries of the result.
    """
    if not x.is_floating_point():
        return NotImplemented
    sides = x.shape[2:]
    if sizes is None:
        sizes = [int(side * factor) for side, factor in zip(sides, factors or (), strict=True)]
    repeats = [out // side if out % side == 0 else 0 for out, side in zip(sizes, sides, strict=True)]
    if all(repeats):
        return _repeat_each(x, repeats)
    steps = [1 / one for one in factors] if factors else [a / b for a, b in zip(sides, sizes, strict=True)]
    for dim, (side, out, step) in enumerate(zip(sides, sizes, steps, strict=True), start=2):
        if out != side:
            # In float32, as PyTorch computes them.
            read = (np.arange(out, dtype=np.float32) + np.float32(shift)) * np.float32(step)
            x = select_places(x, dim, np.minimum(read.astype(int), side - 1).tolist())
    return x


def nearest_exact(x: Tensor, sizes: Sequence[int] | None, factors: Sequence[float] | None) -> Tensor:
    """Return what ``nearest`` does, where an entry stands for its middle."""
    return nearest(x, sizes, factors, shift=0.5)


def _repeat_each(x: Tensor, repeats: Sequence[int]) -> Tensor:
    """Repeat each entry along the last one or two axes: one broadcast."""
    *before, last = x.shape
    if len(repeats) == 1:
        rows = x.reshape(math.prod(before), last, 1)
        return rows.expand(-1, -1, repeats[0]).reshape(*before, last * repeats[0])
    high, wide = repeats
    rows = x.reshape(math.prod(before), 1, last, 1)
    return rows.expand(-1, high, -1, wide).reshape(*before[:-1], before[-1] * high, last * wide)
