"""Filters of a group of channels as rows of numbers: norms, masks, and what is zero."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from edgekit.models.surgery.groups import ChannelGroup, Removal
from edgekit.models.surgery.removal import zero_outputs
from edgekit.nn import DynamicConv2d

Conv = nn.Conv2d | DynamicConv2d


def convs_of(model: nn.Module, group: ChannelGroup) -> Iterator[Conv]:
    """Yield the convolutions that make the channels of ``group``."""
    for name in group.layers:
        yield model.get_submodule(name)


def rows(tensor: torch.Tensor, conv: Conv) -> torch.Tensor:
    """Return ``tensor``, of the shape of ``conv``'s weight, with one row per filter, shape (N, ...).

    A dynamic filter is all of its K kernels.
    """
    return (tensor.transpose(0, 1) if isinstance(conv, DynamicConv2d) else tensor).flatten(1)


def per_filter(vector: torch.Tensor, conv: Conv) -> torch.Tensor:
    """Return ``vector``, shape (N,), in a shape that multiplies ``conv``'s weight filter by filter."""
    ahead = 1 if isinstance(conv, DynamicConv2d) else 0
    return vector.reshape(*[1] * ahead, -1, *[1] * (conv.weight.ndim - 1 - ahead))


def filter_norms(model: nn.Module, group: ChannelGroup, p: int = 2) -> torch.Tensor:
    """Return the norm of each channel's filters in all layers of ``group`` together, shape (channels,)."""
    norms = [rows(conv.weight.detach(), conv).norm(p, dim=1) for conv in convs_of(model, group)]
    return norms[0] if len(norms) == 1 else torch.stack(norms).norm(p, dim=0)


def smallest(scores: torch.Tensor, count: int) -> tuple[int, ...]:
    """Return the indices of the ``count`` least scores, ascending; of equal ones the first."""
    return tuple(sorted(torch.argsort(scores, stable=True)[:count].tolist()))


@torch.no_grad()
def zero_filters(model: nn.Module, group: ChannelGroup, indices: tuple[int, ...]) -> None:
    """Set the filters at ``indices`` to zero, in place; biases and batch norm stay as they are."""
    for conv in convs_of(model, group):
        rows_first = conv.weight.transpose(0, 1) if isinstance(conv, DynamicConv2d) else conv.weight
        rows_first[list(indices)] = 0


def zero_channels(model: nn.Module, group: ChannelGroup, gone: torch.Tensor) -> None:
    """Set to zero, in place, all that makes the channels that are True in ``gone``, shape (channels,).

    Biases, batch norm and offsets behind the filters included: the network then computes what it
    will without these channels.
    """
    indices = gone.nonzero().flatten().tolist()
    if indices:
        parts = [part for part in group.parts if part.is_output and len(part.indices) == group.channels]
        chosen = [Removal(p.layer, True, tuple(p.indices[i] for i in indices)) for p in parts]
        zero_outputs(model, chosen)
