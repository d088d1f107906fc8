"""Checks before an export, so that what cannot work fails at once and in our words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from edgekit.export._quiet import exporting
from edgekit.export.executorch import trace
from edgekit.export.graph import SourceGraph
from edgekit.export.lower import lower
from edgekit.export.outputs import named_outputs, run_model
from edgekit.export.parity import run_eager
from runtime.bundle import TensorSpec
from runtime.errors import ExportError


@dataclass(frozen=True)
class Prepared:
    """A graph that passed the checks, ready for every backend.

    Attributes:
        source: as it came.
        lowered: its model in export form.
        example: the first frame.
        program: what torch.export made of ``lowered`` and ``example``.
        outputs: name, type and shape of each output.
        expected: the eager outputs of each frame.
    """

    source: SourceGraph
    lowered: nn.Module
    example: tuple[torch.Tensor, ...]
    program: ExportedProgram
    outputs: tuple[TensorSpec, ...]
    expected: list[list[np.ndarray]]


def prepare(source: SourceGraph) -> Prepared:
    """Check, lower and trace a graph; the model is put into evaluation mode.

    Raises:
        ExportError: a weight is not finite or not float32; the model does not take the input,
            returns anything but tensors, gives nan, or other numbers when asked again; or it
            cannot be traced.
    """
    source.model.eval()
    example = source.example()
    _check_weights(source.model)
    outputs = named_outputs(source.model, example)
    if not all(torch.isfinite(tensor).all() for _, tensor in outputs):
        raise ExportError("the model gives nan or inf on a real input; export an earlier checkpoint")
    again = run_model(source.model, example)
    if not all(torch.equal(tensor, second) for (_, tensor), second in zip(outputs, again, strict=True)):
        raise ExportError(
            "the model gives other outputs for the same input: an op draws random numbers; "
            "make dropout and noise depend on self.training"
        )
    with exporting():
        lowered = lower(source.model)
        program = trace(lowered, example)
    names = source.output_names or [name for name, _ in outputs]
    specs = [
        TensorSpec(name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, (_, tensor) in zip(names, outputs, strict=True)
    ]
    return Prepared(source, lowered, example, program, tuple(specs), run_eager(source.model, source.frames))


def _check_weights(model: nn.Module) -> None:
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if not tensor.is_floating_point():
            continue
        if tensor.dtype != torch.float32:
            raise ExportError(f"{name} is {tensor.dtype}; only float32 is exported: call model.float() first")
        wrong = int((~torch.isfinite(tensor)).sum())
        if wrong:
            raise ExportError(
                f"{name} has {wrong} of {tensor.numel()} values that are not finite (nan or inf); "
                "the training went wrong: export an earlier checkpoint"
            )
