"""What int8 does to a network, computed in PyTorch: how exact a quantised file can be expected to be.

A file that is much worse than that is not rounded but wrong, for whatever reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from edgekit.export.outputs import run_model
from edgekit.export.parity import difference
from edgekit.export.quantize.plan import QuantizationPlan, is_below
from edgekit.export.quantize.rounding import round_weights
from edgekit.tasks import Frame, as_tensors

Range = tuple[float, float]
_OUTPUTS = "outputs"  # no module's path: those of the graph follow, by number


def expected_sqnr_db(
    model: nn.Module,
    plan: QuantizationPlan,
    frames: Sequence[Frame],
    expected: Sequence[Sequence[np.ndarray]],
) -> list[float | None]:
    """Return the signal to noise of each output when ``model`` is quantised as ``plan`` says, in dB.

    Weights are on their grids and the inputs of all layers on theirs: ranges from the calibration
    where they are static, else each frame's own.

    Args:
        model: lowered.
        frames: to run on.
        expected: the eager outputs for each of them.
    """
    rounded = round_weights(model, plan)
    ranges = _mean_ranges(rounded, plan)
    results = []
    handles = _hook(rounded, plan, lambda path, x: _fake_quantize(x, ranges.get(path)))
    for frame in frames:
        outputs = run_model(rounded, as_tensors(frame))
        if plan.int8_io:
            outputs = tuple(_fake_quantize(x, ranges[f"{_OUTPUTS} {i}"]) for i, x in enumerate(outputs))
        results.append([output.numpy() for output in outputs])
    _remove(handles)
    pairs = [
        (np.stack([frame[i] for frame in results]), np.stack([frame[i] for frame in expected]))
        for i in range(len(expected[0]))
    ]
    return [difference(found, wanted)[1] for found, wanted in pairs]


def _mean_ranges(model: nn.Module, plan: QuantizationPlan) -> dict[str, Range]:
    """Return the mean over the calibration frames of each frame's extremes, by layer with a static input."""
    if not plan.is_static or plan.calibration is None:
        return {}
    seen: list[dict[str, Range]] = []

    def watch(path: str, x: torch.Tensor) -> torch.Tensor:
        if plan.int8_io or not is_below(path, plan.heads):
            low, high = (float(end) for end in torch.aminmax(x))
            before = seen[-1].get(path, (0.0, 0.0))  # every grid holds 0
            seen[-1][path] = min(low, before[0]), max(high, before[1])
        return x

    handles = _hook(model, plan, watch)
    for frame in plan.calibration.frames:
        seen.append({})
        for i, output in enumerate(run_model(model, as_tensors(frame))):
            watch(f"{_OUTPUTS} {i}", output)
    _remove(handles)
    return {
        path: tuple(float(np.mean([one[path][end] for one in seen])) for end in (0, 1)) for path in seen[0]
    }


def _hook(
    model: nn.Module, plan: QuantizationPlan, change: Callable[[str, torch.Tensor], torch.Tensor]
) -> list:
    """Pass the first input of every quantised layer through ``change``; return the handles."""

    def before(path: str):
        return lambda module, inputs: (change(path, inputs[0]), *inputs[1:])

    return [
        layer.register_forward_pre_hook(before(path))
        for path, layer in model.named_modules()
        if isinstance(layer, (nn.Conv2d, nn.Linear)) and not plan.is_float(path)
        if plan.is_static or getattr(layer, "groups", 1) == 1
    ]


def _remove(handles: list) -> None:
    for handle in handles:
        handle.remove()


def _fake_quantize(x: torch.Tensor, limits: Range | None) -> torch.Tensor:
    low, high = limits or (min(float(x.min()), 0.0), max(float(x.max()), 0.0))
    step = (high - low) / 255 or 1.0
    zero = round(-128 - low / step)
    return torch.fake_quantize_per_tensor_affine(x.detach(), step, zero, -128, 127)
