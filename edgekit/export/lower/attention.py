"""Softmax and attention on three axes, a matrix per head."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor


def softmax(x: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """Write softmax over the last of three axes.

    XNNPACK has no other axis than the last. And ExecuTorch 1.5.1 hands it a map behind a convolution
    as it lies in memory, channels last, so that the last of four axes becomes the channels.
    """
    dim %= x.ndim
    if dim == x.ndim - 1 and x.ndim != 4:
        return NotImplemented  # as it is
    rows = x.reshape(math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1 :]))
    return rows.transpose(1, 2).softmax(-1, dtype).transpose(1, 2).reshape(x.shape)


def attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, dropout: float = 0.0,
    is_causal: bool = False, *, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """Write scaled dot-product attention as two products with a softmax between."""
    if dropout:
        return NotImplemented
    if enable_gqa:
        key, value = (_for_each(part, query.shape[-3]) for part in (key, value))
    given = (query, key, value)
    lead = torch.broadcast_shapes(*(part.shape[:-2] for part in given))
    wide = (part if part.shape[:-2] == lead else part.expand(*lead, *part.shape[-2:]) for part in given)
    heads = math.prod(lead)
    q, k, v = (part.reshape(heads, *part.shape[-2:]) for part in wide)
    scores = torch.bmm(q * (1.0 / math.sqrt(q.shape[-1]) if scale is None else scale), k.transpose(1, 2))
    if is_causal:
        # Ruled-out scores must stay finite, for an engine may multiply what it does not use by 0.
        scores = scores + torch.full((1, *scores.shape[1:]), -1e30).triu(1)
    if mask is not None:
        if mask.dtype == torch.bool:
            mask = torch.where(mask, 0.0, -1e30)
        mask = mask.reshape((1,) * (len(lead) + 2 - mask.ndim) + tuple(mask.shape))
        if math.prod(mask.shape[:-2]) not in (1, heads):
            mask = mask.expand(*lead, *mask.shape[-2:])
        scores = scores + mask.reshape(-1, *mask.shape[-2:])
    found = torch.bmm(scores.softmax(-1), v)
    return found.reshape(*lead, query.shape[-2], value.shape[-1])


def _for_each(part: Tensor, heads: int) -> Tensor:
    """Return keys or values, shape (..., H, S, E), once for each of the ``heads`` queries that share one."""
    *lead, own, rows, width = part.shape
    wide = part.unsqueeze(-3).expand(*lead, own, heads // own, rows, width)
    return wide.reshape(*lead, heads, rows, width)


def masked_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, dropout: float = 0.0,
    is_causal: bool = False, **options: Any,
) -> Tensor:  # fmt: skip
    """Write masked attention as ``attention`` does: LiteRT's own form of it has conditions."""
    if mask is None and not is_causal:
        return NotImplemented
    return attention(query, key, value, mask, dropout, is_causal, **options)


def product(first: Tensor, second: Tensor) -> Tensor:
    """Write the product of one matrix with one that is transposed as those of its two halves.

    LiteRT's converter makes of it a layer whose weights are computed, which its delegate leaves; several
    products at once stay what they are. A product with one column is a sum: the converter fails where that
    becomes a map of one pixel.
    """
    if second.shape[2] == 1:
        return (first * second.transpose(1, 2)).sum(2, keepdim=True)
    if first.shape[0] != 1 or min(second.shape[1:]) == 1 or second.stride(-1) == 1:
        return NotImplemented
    rows = first.shape[1]
    even = F.pad(first, (0, 0, 0, 1)) if rows % 2 else first
    halves = torch.bmm(even.reshape(2, -1, first.shape[2]), torch.cat((second, second)))
    whole = halves.reshape(1, -1, second.shape[2])
    return whole.narrow(1, 0, rows) if rows % 2 else whole
