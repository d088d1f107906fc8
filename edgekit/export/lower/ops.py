"""Rewrite single ops of a traced program, which no module stands for, into what a delegate takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.export import ExportedProgram

_aten = torch.ops.aten


def rewrite_ops(program: ExportedProgram) -> ExportedProgram:
    """Return ``program`` with some ops in a form that ExecuTorch's delegate takes and computes rightly."""
    if not any(node.target in _EXECUTORCH for node in program.graph.nodes):
        return program
    return program.run_decompositions(dict(_EXECUTORCH))


def _softmax(x: torch.Tensor, dim: int, dtype: torch.dtype | None = None) -> torch.Tensor:
    """Write softmax over the last of three axes.

    XNNPACK has no other axis than the last. And ExecuTorch 1.5.1 hands it a map behind a convolution
    as it lies in memory, channels last, so that the last of four axes becomes the channels.
    """
    dim %= x.ndim
    if dim == x.ndim - 1 and x.ndim != 4:
        return NotImplemented  # as it is
    rows = x.reshape(math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1 :]))
    return rows.transpose(1, 2).softmax(-1, dtype).transpose(1, 2).reshape(x.shape)


def _clamp(x: torch.Tensor, low: float | None = None, high: float | None = None) -> torch.Tensor:
    """Write a clamp to [0, 1] otherwise: LiteRT's converter makes an op of it that XNNPACK lacks."""
    if (low, high) != (0, 1):
        return NotImplemented
    return 1.0 - (1.0 - x.relu()).relu()


def _hardtanh(x: torch.Tensor, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    """Write a clamp with both limits: ExecuTorch 1.5.1 fails on a limit that is the default, left out."""
    return x.clamp(low, high)


# Op -> function of its arguments; one that returns NotImplemented leaves the op.
_EXECUTORCH: dict[torch._ops.OpOverload, Callable[..., Any]] = {
    _aten.softmax.int: _softmax,
    _aten.special_softmax.default: _softmax,
    _aten.hardtanh.default: _hardtanh,
    _aten._softmax.default: lambda x, dim, half_to_float: _softmax(x, dim),
}
LITERT_RULES: dict[torch._ops.OpOverload, Callable[..., Any]] = {
    _aten.clamp.default: _clamp,
    _aten.hardtanh.default: lambda x, low=-1.0, high=1.0: _clamp(x, low, high),
}
