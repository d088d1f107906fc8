"""Which channels can go, found out by removing some before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from edgekit.models.surgery.groups import ChannelGroup
from edgekit.models.surgery.plan import ChannelPlan
from edgekit.models.surgery.removal import physically_remove
from runtime.errors import PruneError

LeftOut = dict[str, str]
"""Groups that must stay whole: name -> why."""


def try_removal(
    model: nn.Module, groups: Sequence[ChannelGroup], example: torch.Tensor
) -> tuple[list[ChannelGroup], LeftOut]:
    """Return the groups that can lose channels and, by name, why the others cannot.

    Half of every group is removed from a copy; where that fails, group after group. An activation
    that lifts zero, a layer that is used twice and one that cannot be pruned show here, not after
    hours of training.

    Args:
        model: left as it is.
        example: inputs, shape (B, C, H, W), on the model's device.
    """
    some: ChannelPlan = {
        group.name: tuple(range(group.channels // 2)) for group in groups if group.channels > 1
    }
    left_out = {group.name: "it has one channel" for group in groups if group.channels < 2}
    if _refusal(model, some, example) is not None:
        refusals = {name: _refusal(model, {name: some[name]}, example) for name in some}
        left_out |= {name: refusal for name, refusal in refusals.items() if refusal is not None}
    return [group for group in groups if group.name not in left_out], left_out


def _refusal(model: nn.Module, plan: ChannelPlan, example: torch.Tensor) -> str | None:
    try:
        physically_remove(model, plan, example)
    except PruneError as err:
        return str(err)
    return None
