"""Margins that repeat or mirror what they border on, as joins of slices, and margins of a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F

from edgekit.export.lower.selections import flip

Tensor = torch.Tensor


def reflect(x: Tensor, margins: Sequence[int]) -> Tensor:
    """Return ``x`` with margins that mirror it about its outermost entries."""

    def edge(x: Tensor, dim: int, width: int, *, is_first: bool) -> Tensor:
        return flip(x.narrow(dim, 1 if is_first else x.shape[dim] - 1 - width, width), [dim])

    return _bordered(x, margins, edge)


def replicate(x: Tensor, margins: Sequence[int]) -> Tensor:
    """Return ``x`` with margins that repeat its outermost entries."""

    def edge(x: Tensor, dim: int, width: int, *, is_first: bool) -> Tensor:
        outermost = x.narrow(dim, 0 if is_first else x.shape[dim] - 1, 1)
        return outermost.expand([width if axis == dim else side for axis, side in enumerate(x.shape)])

    return _bordered(x, margins, edge)


def pad(x: Tensor, margins: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Return ``x`` with margins that repeat its other end, where ``mode`` is ``circular``."""

    def edge(x: Tensor, dim: int, width: int, *, is_first: bool) -> Tensor:
        return x.narrow(dim, x.shape[dim] - width if is_first else 0, width)

    return _bordered(x, margins, edge) if mode == "circular" else NotImplemented


def _bordered(x: Tensor, margins: Sequence[int], edge: Callable[..., Tensor]) -> Tensor:
    """Return ``x`` with an ``edge`` before and behind each axis that has margins, the last axis first."""
    if not x.is_floating_point() or min(margins) < 0:
        return NotImplemented
    for i in range(0, len(margins), 2):
        dim, (before, after) = x.ndim - 1 - i // 2, margins[i : i + 2]
        parts = [edge(x, dim, before, is_first=True)] if before else []
        parts += [x, edge(x, dim, after, is_first=False)] if after else [x]
        x = torch.cat(parts, dim) if len(parts) > 1 else x
    return x


def filled(x: Tensor, margins: Sequence[int], value: float = 0.0) -> Tensor:
    """Write a margin of another number than 0 as a sum: XNNPACK's padding in a LiteRT file is of zeros."""
    if not value or not math.isfinite(value) or not x.is_floating_point():
        return NotImplemented
    axes = len(margins) // 2
    sides = [1] * (x.ndim - axes) + list(x.shape[x.ndim - axes :])
    # 0 on x and the number around it; it depends on no input, and is stored.
    frame = F.pad(torch.full(sides, -float(value), dtype=x.dtype), list(margins)) + float(value)
    return F.pad(x, list(margins)) + frame
