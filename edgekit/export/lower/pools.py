"""Pooling with any options, as pooling with those that the engines' delegates take."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor
Pair = int | Sequence[int]


def avg_pool2d(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair = (),
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Write padded average pooling as pooling without padding, times what that divided too much by."""
    kernel, pads = _pair(kernel_size), _pair(padding)
    steps = _pair(stride) if stride else kernel
    ends = [
        _overhang(side, k, step, pad, ceil_mode)
        for side, k, step, pad in zip(x.shape[-2:], kernel, steps, pads, strict=True)
    ]
    if pads == (0, 0) and ends == [0, 0] and divisor_override is None:
        return F.avg_pool2d(x, kernel, steps) if ceil_mode else NotImplemented
    margins = (pads[1], pads[1] + ends[1], pads[0], pads[0] + ends[0])
    pooled = F.avg_pool2d(F.pad(x, margins) if any(margins) else x, kernel, steps)
    if divisor_override is not None:
        return pooled * (kernel[0] * kernel[1] / divisor_override)
    if count_include_pad and ends == [0, 0]:
        return pooled
    # How much larger the window is than what counts of it, by row and by column.
    rows, columns = (
        _line([k / n for n in _counts(side, k, step, pad, outs, count_include_pad)])
        for side, k, step, pad, outs in zip(x.shape[-2:], kernel, steps, pads, pooled.shape[-2:], strict=True)
    )
    return pooled * (rows.reshape(-1, 1) * columns)


def avg_pool3d(x: Tensor, kernel_size: Pair, stride: Pair = (), padding: Pair = 0, *rest: Any) -> Tensor:
    """Write average pooling along the first of three axes, as ``nn.LocalResponseNorm`` pools its channels."""
    kernel, steps, pads = (_three(one) for one in (kernel_size, stride or kernel_size, padding))
    if kernel[1:] != (1, 1) or steps[1:] != (1, 1) or pads[1:] != (0, 0):
        return NotImplemented
    pooled = F.avg_pool2d(x.flatten(-2), (kernel[0], 1), (steps[0], 1), (pads[0], 0), *rest)
    return pooled.reshape(*pooled.shape[:-1], *x.shape[-2:])


def max_pool2d_with_indices(
    x: Tensor, kernel_size: Pair, stride: Pair = (), padding: Pair = 0, dilation: Pair = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Write padded max pooling as pooling of a map whose border is repeated, which changes no maximum.

    LiteRT's delegate pads only with zeros; a window never lies wholly in the padding. Nor does it take
    windows with gaps: those are the largest of slices, and the places of the largest nobody may read.
    """
    kernel, pads, gaps = _pair(kernel_size), _pair(padding), _pair(dilation)
    steps = _pair(stride) if stride else kernel
    if (pads == (0, 0) and gaps == (1, 1)) or ceil_mode:
        return NotImplemented
    if any(pad and side < gap for pad, side, gap in zip(pads, x.shape[-2:], gaps, strict=True)):
        return NotImplemented
    for dim, pad, gap in zip((x.ndim - 2, x.ndim - 1), pads, gaps, strict=True):
        if pad:  # each repeats what the same window reads one step of its kernel further in
            side = x.shape[dim]
            before = [x.narrow(dim, -place % gap, 1) for place in range(pad, 0, -1)]
            after = [x.narrow(dim, side - 1 - (-place % gap), 1) for place in range(1, pad + 1)]
            x = torch.cat((*before, x, *after), dim)
    if gaps == (1, 1):
        return torch.ops.aten.max_pool2d_with_indices(x, kernel, steps)
    for dim, k, step, gap in zip((x.ndim - 2, x.ndim - 1), kernel, steps, gaps, strict=True):
        count = (x.shape[dim] - (k - 1) * gap - 1) // step + 1
        reach = (count - 1) * step + 1
        parts = [torch.ops.aten.slice(x, dim, i * gap, i * gap + reach, step) for i in range(k)]
        x = functools.reduce(torch.maximum, parts)
    return x, torch.zeros(x.shape, dtype=torch.int64)


def max_pool1d(
    x: Tensor, kernel_size: Pair, stride: Pair = (), padding: Pair = 0, dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """Write max pooling of rows as that of maps one row high."""
    kernel, step = _one(kernel_size), _one(stride) if stride else _one(kernel_size)
    found = F.max_pool2d(
        x.unsqueeze(-2), (1, kernel), (1, step), (0, _one(padding)), (1, _one(dilation)), ceil_mode
    )
    return found.squeeze(-2)


def adaptive_avg_pool2d(x: Tensor, output_size: Sequence[int]) -> Tensor:
    """Write it as pooling where the windows are equal, else as two products with constant shares."""
    outs, (height, width) = tuple(output_size), x.shape[-2:]
    if outs == (1, 1):
        return x.mean((-2, -1), keepdim=True)
    if height % outs[0] == 0 and width % outs[1] == 0:
        return F.avg_pool2d(x, (height // outs[0], width // outs[1]))
    across = F.linear(x, _shares(width, outs[1]))
    return F.linear(across.transpose(-1, -2), _shares(height, outs[0])).transpose(-1, -2)


def adaptive_max_pool2d(x: Tensor, output_size: Pair) -> tuple[Tensor, Tensor]:
    """Write it as pooling, axis by axis and window by window where these are unequal.

    The places of the largest nobody may read.
    """
    outs, (height, width) = _pair(output_size), x.shape[-2:]
    if height % outs[0] == 0 and width % outs[1] == 0:
        x = F.max_pool2d(x, (height // outs[0], width // outs[1]))
    else:
        for dim, windows in zip((-2, -1), map(_windows, (height, width), outs), strict=True):
            parts = [x.narrow(dim, start, end - start) for start, end in windows]
            sides = [(part.shape[-2], 1) if dim == -2 else (1, part.shape[-1]) for part in parts]
            x = torch.cat([F.max_pool2d(part, side) for part, side in zip(parts, sides, strict=True)], dim)
    return x, torch.zeros(x.shape, dtype=torch.int64)


def _windows(side: int, outs: int) -> list[tuple[int, int]]:
    """Return begin and end of each window of adaptive pooling; they may overlap."""
    return [(i * side // outs, -(-(i + 1) * side // outs)) for i in range(outs)]


def _shares(side: int, outs: int) -> Tensor:
    """Return how much each of ``side`` entries adds to each of ``outs`` windows: (outs, side)."""
    return torch.cat(
        [
            F.pad(torch.full((1, end - start), 1.0 / (end - start)), (start, side - end))
            for start, end in _windows(side, outs)
        ]
    )


def _counts(side: int, kernel: int, step: int, pad: int, outs: int, with_padding: bool) -> list[int]:
    """Return of each window how many entries count."""
    first, last = (-pad, side + pad) if with_padding else (0, side)
    starts = [i * step - pad for i in range(outs)]
    return [min(start + kernel, last) - max(start, first) for start in starts]


def _line(values: Sequence[float]) -> Tensor:
    """Return ``values`` as a constant."""
    return torch.cat([torch.full((len(list(run)),), value) for value, run in itertools.groupby(values)])


def _overhang(side: int, kernel: int, step: int, pad: int, ceil_mode: bool) -> int:
    """Return how far the last window reaches beyond the padding."""
    free = side + 2 * pad - kernel
    if not ceil_mode or free % step == 0:
        return 0
    last = -(-free // step)
    if last * step >= side + pad:  # it would begin in the padding
        last -= 1
    return max(0, last * step - free)


def _pair(value: Pair) -> tuple[int, int]:
    sizes = (value,) if isinstance(value, int) else tuple(value)
    return (sizes[0], sizes[-1])


def _three(value: Pair) -> tuple[int, ...]:
    sizes = (value,) if isinstance(value, int) else tuple(value)
    return sizes * 3 if len(sizes) == 1 else sizes


def _one(value: Pair) -> int:
    return value if isinstance(value, int) else value[0]
