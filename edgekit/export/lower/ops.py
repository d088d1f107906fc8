"""Rewrite single ops of a traced program, however the model spells them, for ExecuTorch's delegate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.export import ExportedProgram

_aten = torch.ops.aten


def rewrite_ops(program: ExportedProgram) -> ExportedProgram:
    """Return ``program`` with the ops of ``_RULES`` in a form that XNNPACK takes and computes rightly."""
    if not any(node.target in _RULES for node in program.graph.nodes):
        return program
    return program.run_decompositions(dict(_RULES))


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


# Op -> function of its arguments; one that returns NotImplemented leaves the op.
_RULES: dict[torch._ops.OpOverload, Callable[..., Any]] = {
    _aten.softmax.int: _softmax,
    _aten.special_softmax.default: _softmax,
    _aten._softmax.default: lambda x, dim, half_to_float: _softmax(x, dim),
}
