"""Transposed convolutions, as LiteRT's converter knows them."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import torch
import torch.nn.functional as F

Tensor = torch.Tensor


def fill_gaps(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    output_padding: Sequence[int] = (0,),
    groups: int = 1,
    dilation: Sequence[int] = (1,),
) -> Tensor:
    """Write the gaps in a dilated kernel as zeros in a larger one, and a margin left out as a slice.

    litert-torch 0.10 cannot convert gaps, and of larger kernels not every margin.
    """
    axes = range(2, weight.ndim)
    steps, margins, more = (_each(given, len(axes)) for given in (dilation, padding, output_padding))
    if all(step == 1 for step in steps) or any(map(operator.gt, more, margins)):
        return NotImplemented
    for axis, step in zip(axes, steps, strict=True):
        weight = _spread(weight, axis, step)
    convolve = F.conv_transpose1d if weight.ndim == 3 else F.conv_transpose2d
    whole = convolve(x, weight, bias, stride, groups=groups)
    for axis, margin, extra in zip(axes, margins, more, strict=True):
        whole = whole.narrow(axis, margin, whole.shape[axis] - 2 * margin + extra)
    return whole


def _each(given: Sequence[int], count: int) -> list[int]:
    return list(given) * (count // len(given))


def _spread(weight: Tensor, axis: int, step: int) -> Tensor:
    """Return ``weight`` with ``step - 1`` zeros between its entries along ``axis``."""
    before, side, after = weight.shape[:axis], weight.shape[axis], weight.shape[axis + 1 :]
    wide = F.pad(weight.unsqueeze(axis + 1), (0, 0) * len(after) + (0, step - 1))
    return wide.reshape(*before, side * step, *after).narrow(axis, 0, (side - 1) * step + 1)
