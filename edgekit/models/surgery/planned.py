"""A network as it was pruned: without the channels of a plan, and with smaller kernels."""

from __future__ import annotations

import torch
from torch import nn

from edgekit.models.surgery.kernels import KernelPlan, shrink_kernels
from edgekit.models.surgery.plan import ChannelPlan
from runtime.bundle import ImageSpec

_PROOF_SIDE = 512  # of the image that shows a pruned network to be the masked one: any size does


def as_planned(
    model: nn.Module, plan: ChannelPlan | None, kernels: KernelPlan | None, example: torch.Tensor
) -> nn.Module:
    """Return ``model`` with the shape that a pruning gave it; in eval mode where channels went.

    Args:
        model: unpruned; its kernels are cut in place.
        example: inputs, shape (B, C, H, W), on which the network without channels is proved.

    Raises:
        PruneError: the channel or kernel plan is not of this model.
    """
    if plan:
        # torch-pruning, half a second of imports, is only for networks that were pruned.
        from edgekit.models.surgery.removal import physically_remove

        model = physically_remove(model, plan, example)
    shrink_kernels(model, kernels or {}, exact=False)
    return model


def proof_input(image: ImageSpec) -> torch.Tensor:
    """Return an input, shape (1, C, H, W), on which a pruned network is shown to be the masked one."""
    size = min(image.size, _PROOF_SIDE)
    return torch.zeros(1, image.channels, size, size)
