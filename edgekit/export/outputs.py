"""What a model returns, as a flat tuple of named tensors."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from runtime.errors import ExportError

_HOW = (
    "return tensors, or a tuple, list, dict or dataclass of them: wrap the model in a module that picks them"
)


def run_model(model: nn.Module, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return the outputs of ``model`` for one frame, laid flat, ``None`` left out.

    Raises:
        ExportError: the model does not take these inputs, or returns anything but tensors.
    """
    return tuple(tensor for _, tensor in named_outputs(model, inputs))


def named_outputs(model: nn.Module, inputs: Sequence[torch.Tensor]) -> list[tuple[str, torch.Tensor]]:
    """Return names and tensors of what ``model`` gives for one frame; raises as ``run_model``.

    A named tuple, a dict and a dataclass lend their fields' names; else they are ``output``, or
    ``output0``, ``output1``, ...
    """
    shapes = " and ".join(str(tuple(tensor.shape)) for tensor in inputs)
    try:
        with torch.no_grad():
            result = model(*inputs)
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError) as err:
        first = next(iter(str(err).splitlines()), type(err).__name__)
        raise ExportError(f"the model does not take an input of shape {shapes}: {first}") from err
    if isinstance(result, torch.Tensor):
        return [("output", result.detach())]
    flat = _flatten(result, "")
    if not flat:
        raise ExportError(f"the model returns an empty {type(result).__name__}; {_HOW}")
    return [(name or f"output{i}", tensor.detach()) for i, (name, tensor) in enumerate(flat)]


def give_tensors(model: nn.Module, inputs: Sequence[torch.Tensor]) -> None:
    """Let ``model`` return the flat tuple of ``named_outputs``, in place, if it returns anything else.

    Exporters order the parts of a dict each in its own way, and know no dataclass.
    """
    with torch.no_grad():
        if _is_plain(model(*inputs)):
            return
    kind = type(model)

    @functools.wraps(kind.forward)
    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> tuple[torch.Tensor, ...]:
        return tuple(tensor for _, tensor in _flatten(kind.forward(self, *args, **kwargs), ""))

    # The name stays: it tells in exported files which tensors are the model's.
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    model.__class__ = type(kind.__name__, (kind,), {"forward": forward, **names})


def _is_plain(result: Any) -> bool:
    return isinstance(result, torch.Tensor) or (
        isinstance(result, (tuple, list)) and all(map(_is_plain, result))
    )


def _flatten(result: Any, name: str) -> list[tuple[str, torch.Tensor]]:
    if isinstance(result, torch.Tensor):
        return [(name, result)]
    parts = _parts(result)
    if parts is None:
        raise ExportError(f"the model returns {type(result).__name__}; {_HOW}")
    return [one for field, part in parts if part is not None for one in _flatten(part, field)]


def _parts(result: Any) -> Iterable[tuple[str, Any]] | None:
    """Return the parts of what a model returns with their names, in its own order."""
    if isinstance(result, (tuple, list)):
        return zip(getattr(result, "_fields", ("",) * len(result)), result, strict=True)
    if isinstance(result, Mapping):
        return [(str(key), part) for key, part in result.items()]
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return [(field.name, getattr(result, field.name)) for field in dataclasses.fields(result)]
    return None
