"""What a model returns, as a flat tuple of named tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from runtime.errors import ExportError

_HOW = "return a tensor, or a tuple or list of tensors: wrap the model in a module that picks them"


def run_model(model: nn.Module, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return the outputs of ``model`` for one frame, nested tuples and lists laid flat.

    Raises:
        ExportError: the model does not take these inputs, or returns anything but tensors.
    """
    return tuple(tensor for _, tensor in named_outputs(model, inputs))


def named_outputs(model: nn.Module, inputs: Sequence[torch.Tensor]) -> list[tuple[str, torch.Tensor]]:
    """Return names and tensors of what ``model`` gives for one frame; raises as ``run_model``.

    A named tuple lends its fields' names; else they are ``output``, or ``output0``, ``output1``, ...
    """
    shapes = " and ".join(str(tuple(tensor.shape)) for tensor in inputs)
    try:
        with torch.no_grad():
            result = model(*inputs)
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError) as err:
        first = next(iter(str(err).splitlines()), type(err).__name__)
        raise ExportError(f"the model does not take an input of shape {shapes}: {first}") from err
    if isinstance(result, torch.Tensor):
        return [("output", result)]
    flat = _flatten(result, "")
    if not flat:
        raise ExportError(f"the model returns an empty {type(result).__name__}; {_HOW}")
    return [(name or f"output{i}", tensor) for i, (name, tensor) in enumerate(flat)]


def _flatten(result: Any, name: str) -> list[tuple[str, torch.Tensor]]:
    if isinstance(result, torch.Tensor):
        return [(name, result)]
    if isinstance(result, (tuple, list)):
        fields = getattr(result, "_fields", ("",) * len(result))
        return [one for field, part in zip(fields, result, strict=True) for one in _flatten(part, field)]
    what = (
        f"a dict with {', '.join(map(str, result))}" if isinstance(result, Mapping) else type(result).__name__
    )
    raise ExportError(f"the model returns {what}; {_HOW}")
