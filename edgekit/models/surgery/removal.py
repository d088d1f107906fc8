"""From a plan to a smaller, ordinary, dense network, proved equal to the masked one."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
import torch_pruning as tp
from torch import nn
from torch.utils._pytree import tree_leaves

from edgekit.models.surgery.dynamic_layers import PRUNERS, why_not
from edgekit.models.surgery.groups import TRACE_ERRORS, ChannelGraph, Removal
from edgekit.models.surgery.plan import ChannelPlan
from edgekit.nn import DynamicConv2d, DynamicReLU, SpatialGroupEnhance
from runtime.bundle.decoding import why
from runtime.errors import PruneError

TOLERANCE = 1e-5


def physically_remove(model: nn.Module, plan: ChannelPlan, example: torch.Tensor) -> nn.Module:
    """Return a copy of ``model`` without the channels of ``plan``, in eval mode.

    A convolution of zeros is not a removed channel: batch norm still adds its constant behind it,
    and so do the offsets of a dynamic ReLU. So the channels are first masked everywhere (see
    ``mask_channels``), then removed, and both networks must give the same outputs.

    Args:
        model: left as it is.
        plan: indices into the channels ``model`` has now.
        example: real inputs, shape (B, C, H, W), on the model's device.

    Raises:
        PruneError: the plan does not fit, or masked and compact outputs differ by more than 1e-5 of
            the largest output (or of 1, if that is smaller).
    """
    graph = ChannelGraph(model, example)
    removals = [part for name, indices in plan.items() if indices for part in graph.removals(name, indices)]
    try:
        compact = cut(model, removals)
        masked = mask_channels(model, removals)
        with torch.inference_mode():
            expected = tree_leaves(masked(example))
            got = tree_leaves(compact(example))
    except TRACE_ERRORS as err:
        raise PruneError(
            f"the compact network does not run ({why(err)}); a layer that is used twice or reshapes "
            "its channels cannot lose any: leave that block out of the plan"
        ) from err
    for own, wanted in zip(got, expected, strict=True):
        _check_equal(own, wanted)
    return compact


def _check_equal(got: torch.Tensor, expected: torch.Tensor) -> None:
    if got.shape != expected.shape:
        raise PruneError(
            f"the compact network gives {tuple(got.shape)} instead of {tuple(expected.shape)}: the plan "
            "removes its outputs; leave that layer out of the plan"
        )
    difference = (expected - got).abs().max().item()
    if not difference <= TOLERANCE * max(1.0, expected.abs().max().item()):
        raise PruneError(
            f"the compact network differs from the masked one by {difference:.2e}, limit {TOLERANCE:.0e}; "
            "an activation behind a pruned channel does not map 0 to 0: leave that block out of the plan"
        )


def cut(model: nn.Module, removals: Sequence[Removal]) -> nn.Module:
    """Return a copy of ``model``, in eval mode, without the channels of ``removals``; unproved.

    Raises:
        PruneError: one of the layers cannot lose channels.
    """
    compact = copy.deepcopy(model).eval()
    merged: dict[tuple[str, bool], set[int]] = {}  # indices count the channels before any removal
    for part in removals:
        merged.setdefault((part.layer, part.is_output), set()).update(part.indices)
    for (name, is_output), indices in merged.items():
        layer = compact.get_submodule(name)
        _pruner_of(layer, name)(layer, sorted(indices), to_output=is_output)
    return compact


def mask_channels(model: nn.Module, removals: Sequence[Removal]) -> nn.Module:
    """Return a copy of ``model``, in eval mode, in which the removed channels are exactly zero.

    Zeroed are the filters and biases that make a channel, the scale and shift of its batch norm,
    and the rows of its dynamic ReLU's offset heads.
    """
    masked = copy.deepcopy(model).eval()
    zero_outputs(masked, removals)
    return masked


@torch.no_grad()
def zero_outputs(model: nn.Module, removals: Sequence[Removal]) -> None:
    """Set to zero, in place, all that makes the channels of ``removals``: see ``mask_channels``."""
    for part in removals:
        if part.is_output:
            _zero_outputs(model.get_submodule(part.layer), list(part.indices))


def _zero_outputs(layer: nn.Module, indices: list[int]) -> None:
    if isinstance(layer, DynamicConv2d):
        layer.weight[:, indices] = 0
        if layer.bias is not None:
            layer.bias[:, indices] = 0
    elif isinstance(layer, DynamicReLU):
        for head in (layer.offset1, layer.offset2):
            head.weight[indices] = 0
            head.bias[indices] = 0
    elif not isinstance(layer, nn.PReLU | SpatialGroupEnhance):  # these map zero to zero
        for parameter in (layer.weight, layer.bias):
            if parameter is not None:
                parameter[indices] = 0


def _pruner_of(layer: nn.Module, name: str) -> tp.BasePruningFunc:
    refused = why_not(layer)
    if refused:
        raise PruneError(f"{name} is {refused}")
    pruner = PRUNERS.get(type(layer)) or tp.pruner.function.PrunerBox.get(tp.ops.module2type(layer))
    if pruner is None:
        raise PruneError(
            f"{name} is a {type(layer).__name__}, which edgekit cannot prune; leave its block out"
        )
    return pruner
