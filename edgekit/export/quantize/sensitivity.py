"""Which layers lose most by quantisation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.export import ExportedProgram

from edgekit.export.outputs import run_model
from edgekit.export.quantize.plan import QuantizationPlan, weighted_before
from edgekit.export.quantize.rounding import round_keeping_sums
from edgekit.tasks import as_tensors

_FRAMES = 4


@dataclass(frozen=True)
class LayerError:
    """What rounding one layer alone does to the outputs.

    Attributes:
        path: of the layer.
        noise: power of the outputs' error relative to their own, weights' and input's added.
        remedy: the layers to keep float against it: the layer, and when the rounding of its input is
            the larger part, those that make that input, as their output is what is rounded.
    """

    path: str
    noise: float
    remedy: tuple[str, ...]


@torch.no_grad()
def rank_layers(model: nn.Module, program: ExportedProgram, plan: QuantizationPlan) -> list[LayerError]:
    """Return the layers that ``plan`` quantises, the one with the largest error first.

    One layer at a time gets an int8 weight, then an int8 input, while all others stay float.

    Args:
        model: lowered.
        program: what torch.export made of it.
        plan: with calibration.
    """
    assert plan.calibration is not None
    step = max(1, len(plan.calibration.frames) // _FRAMES)
    frames = [as_tensors(frame) for frame in plan.calibration.frames[::step][:_FRAMES]]
    exact = [run_model(model, frame) for frame in frames]
    makers = weighted_before(program)
    found = []
    for path, layer in model.named_modules():
        if not isinstance(layer, (nn.Conv2d, nn.Linear)) or plan.is_float(path):
            continue
        weight = layer.weight.detach().clone()
        layer.weight.copy_(round_keeping_sums(weight))
        by_weight = _noise([run_model(model, frame) for frame in frames], exact)
        layer.weight.copy_(weight)
        handle = layer.register_forward_pre_hook(_quantize_input)
        by_input = _noise([run_model(model, frame) for frame in frames], exact)
        handle.remove()
        remedy = (path, *makers.get(path, ())) if by_input > by_weight else (path,)
        found.append(LayerError(path, by_weight + by_input, remedy))
    return sorted(found, key=lambda error: -error.noise)


def _quantize_input(layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    x = inputs[0]
    low, high = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    step = (high - low) / 255 or 1.0
    return ((x / step).round() * step, *inputs[1:])


def _noise(rough: list[tuple[torch.Tensor, ...]], exact: list[tuple[torch.Tensor, ...]]) -> float:
    pairs = [pair for a, b in zip(rough, exact, strict=True) for pair in zip(a, b, strict=True)]
    signal = sum(float(b.square().sum()) for _, b in pairs)
    return sum(float((a - b).square().sum()) for a, b in pairs) / max(signal, 1e-30)
