"""Convolutions along one axis that stay float behind int8 layers, as ones over a map of width 1.

ExecuTorch 1.5.1 turns every ``Conv1d`` behind a dequantised map into one with an int8 input, and then
finds its weights float.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import nn

from edgekit.export.quantize.plan import QuantizationPlan


class FlatConv1d(nn.Conv2d):
    """A ``Conv1d`` with zeros around whose kernel is as wide as its map, 1; takes and gives (B, C, L)."""

    def __init__(self, conv: nn.Conv1d):
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            (*conv.kernel_size, 1),
            (*conv.stride, 1),
            conv.padding if isinstance(conv.padding, str) else (*conv.padding, 0),
            (*conv.dilation, 1),
            conv.groups,
            conv.bias is not None,
        )
        self.weight = nn.Parameter(conv.weight.detach().unsqueeze(-1), requires_grad=False)
        self.bias = conv.bias
        self._forward_hooks = conv._forward_hooks  # whoever watches the layer still does

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.reshape(*x.shape, 1)).flatten(2)


def flatten_float_convolutions(
    model: nn.Module, plan: QuantizationPlan
) -> tuple[nn.Module, QuantizationPlan]:
    """Return a copy of ``model`` with its float ``Conv1d`` layers as ``FlatConv1d``, and the plan for it.

    Heads among them become float: XNNPACK has no dynamic ranges along one axis.
    """
    modules = dict(model.named_modules())
    heads = tuple(head for head in plan.heads if isinstance(modules[head], nn.Conv1d))
    if heads and not plan.int8_io:
        others = tuple(head for head in plan.heads if head not in heads)
        plan = replace(plan, kept_float=(*plan.kept_float, *heads), heads=others)
    flat = copy.deepcopy(model)
    done: dict[nn.Module, nn.Module] = {}
    for path, parent in list(flat.named_modules()):
        for name, child in parent._modules.items():
            is_flat = type(child) is nn.Conv1d and child.padding_mode == "zeros"
            if is_flat and plan.is_float(f"{path}.{name}".removeprefix(".")):
                parent._modules[name] = done.setdefault(child, FlatConv1d(child))
    return flat.eval().requires_grad_(False), plan
