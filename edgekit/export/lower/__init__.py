"""Rewrite a model so that exporters keep every op of it on the fast path."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import nn

from edgekit.export.lower.batch_norm import fold_batch_norm
from edgekit.export.lower.dynamic_conv import lower_dynamic_conv
from edgekit.export.lower.dynamic_relu import StaticDynamicReLU
from edgekit.export.lower.selective_kernel import FoldedSelectiveKernel
from edgekit.export.lower.squeeze_excite import FoldedSqueezeExcite
from edgekit.models.layers import SqueezeExcite
from edgekit.nn import DynamicConv2d, DynamicReLU, SelectiveKernel

__all__ = [
    "EXPORT_FORMS",
    "choose_layout",
    "fold_batch_norm",
    "lower",
]

# Block -> what makes its export form of it.
EXPORT_FORMS: dict[type[nn.Module], Callable[..., nn.Module]] = {
    DynamicConv2d: lower_dynamic_conv,
    DynamicReLU: StaticDynamicReLU,
    SelectiveKernel: FoldedSelectiveKernel,
    SqueezeExcite: FoldedSqueezeExcite,
}


def choose_layout(lowered: nn.Module, *, channels_last: bool) -> None:
    """Tell every export form in ``lowered`` in which view of a map its engine pools; see their docs."""
    for module in lowered.modules():
        if hasattr(module, "channels_last"):
            module.channels_last = channels_last


def lower(model: nn.Module) -> nn.Module:
    """Return a copy of ``model`` in evaluation mode, its dynamic blocks in their export forms.

    The copy gives the same outputs within rounding, for batch 1 only. Modules keep their paths.

    Example:
        >>> lowered = lower(ModelSpec("mobilenet_v2", act="dyrelu-b").build())   # doctest: +SKIP
    """
    lowered = copy.deepcopy(model).eval().requires_grad_(False)
    _lay_out(lowered)
    fold_batch_norm(lowered)
    if type(lowered) in EXPORT_FORMS:
        return EXPORT_FORMS[type(lowered)](lowered).eval()
    done: dict[nn.Module, nn.Module] = {}  # a block used twice stays one block
    for parent in list(lowered.modules()):
        for name, child in parent._modules.items():
            if type(child) in EXPORT_FORMS:
                if child not in done:
                    done[child] = EXPORT_FORMS[type(child)](child)
                parent._modules[name] = done[child]
    return lowered.eval().requires_grad_(False)


def _lay_out(model: nn.Module) -> None:
    """Give every weight the strides of its shape: exporters stumble over those of channels-last."""
    for tensor in [*model.parameters(), *model.buffers()]:
        plain = torch.empty(tensor.shape, device="meta").stride()
        if tensor.stride() != plain:
            tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)
