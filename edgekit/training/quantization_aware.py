"""Quantisation-aware training: the network computes as its int8 file will, and learns to live with it.

Weights and inputs of the layers that an export quantises are rounded in the forward pass; the
gradient passes through as if they were not (straight-through, 1712.05877). This is done on the
modules, not on a traced graph: what comes out is an ordinary float checkpoint, resumable and
prunable, that either engine's export quantises as any other, so one training does for both.

Two things make that simple. Weights have a step per output channel, and batch norm scales whole
output channels, so rounding before folding equals rounding after it. And an input's range is the
mean over the batch of each image's extremes, the rule that calibration uses: nothing is kept from
step to step, so an interrupted run goes on as if it had not been.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from edgekit.nn import DynamicConv2d, DynamicReLU
from edgekit.training.hooks import Hook, Training

_TINY = 1e-9


class QuantizationAware(Hook):
    """Rounds weights and inputs while the model trains and is tested; at the end it is float again.

    Args:
        bits: of the weights; the exports have 8.
    """

    def __init__(self, bits: int = 8):
        self.levels = 2 ** (bits - 1) - 1

    def on_train_begin(self, run: Training) -> None:
        install(run.model, self.levels)

    def finalize(self, run: Training) -> None:
        remove(run.model)


def install(model: nn.Module, levels: int = 127) -> None:
    """Let the layers of ``model`` that an export quantises round their weights and inputs.

    Args:
        levels: steps of a weight on either side of zero.
    """
    for layer in quantised_layers(model):
        layer.forward = partial(_rounded_forward, layer, levels)


def remove(model: nn.Module) -> None:
    """Undo ``install``."""
    for layer in quantised_layers(model):
        layer.__dict__.pop("forward", None)


def quantised_layers(model: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    """Return the convolutions and linear layers outside of blocks that stay float when exported."""
    float_parts: set[nn.Module] = set()
    for module in model.modules():
        if getattr(module, "keeps_float", False) or isinstance(module, (DynamicConv2d, DynamicReLU)):
            float_parts.update(module.modules())
    layers = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    return [layer for layer in layers if layer not in float_parts]


def _rounded_forward(layer: nn.Conv2d | nn.Linear, levels: int, x: torch.Tensor) -> torch.Tensor:
    x, weight = round_input(x), round_weight(layer.weight, levels)
    if isinstance(layer, nn.Linear):
        return F.linear(x, weight, layer.bias)
    return layer._conv_forward(x, weight, layer.bias)


def round_weight(weight: torch.Tensor, levels: int = 127) -> torch.Tensor:
    """Return ``weight``, shape (N, ...), on a symmetric grid per output channel."""
    step = (weight.detach().abs().flatten(1).amax(1) / levels).clamp(min=_TINY)
    zero = torch.zeros_like(step, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, step, zero, 0, -levels, levels)


def round_input(x: torch.Tensor) -> torch.Tensor:
    """Return ``x``, shape (B, ...), on 256 steps between the means of the images' extremes."""
    flat = x.detach().flatten(1)
    low = flat.amin(1).mean().clamp(max=0.0)
    high = flat.amax(1).mean().clamp(min=0.0)
    step = ((high - low) / 255).clamp(min=_TINY)
    zero = (-128 - low / step).round().clamp(-128, 127).to(torch.int32)
    return torch.fake_quantize_per_tensor_affine(x, step, zero, -128, 127)
