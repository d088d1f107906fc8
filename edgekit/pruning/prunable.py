"""What of a network can be pruned, and why nothing of it can."""

from __future__ import annotations

import torch
from torch import nn

from edgekit.models.surgery.groups import ChannelGraph, ChannelGroup
from edgekit.models.surgery.trial import LeftOut, try_removal
from edgekit.nn import DynamicConv2d
from edgekit.pruning.report import told
from runtime.errors import PruneError


def prunable_groups(
    model: nn.Module, scope: str, examples: torch.Tensor, name: str
) -> tuple[list[ChannelGroup], LeftOut]:
    """Return the groups of ``model`` that can lose channels, and why others cannot.

    Args:
        scope: see ``ChannelGraph.groups``.
        examples: real inputs, shape (B, C, H, W).
        name: of the model, for errors.

    Raises:
        PruneError: there is none.
    """
    groups, left_out = try_removal(model, ChannelGraph(model, examples[:1]).groups(scope), examples[:2])
    if not groups:
        reason = told(left_out)[0] if left_out else _why_nothing(model, scope)
        raise PruneError(f"{name} has nothing to prune; {reason}")
    return groups, left_out


def _why_nothing(model: nn.Module, scope: str) -> str:
    convs = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | DynamicConv2d)]
    if all(layer.groups > 1 for layer in convs):
        return "channels can go that ungrouped convolutions make, and it has none as a module"
    if scope == "all":
        return "none of its convolutions hangs together with its output in a way that can be followed"
    return "no convolution's channels stay inside a block; try scope all"
