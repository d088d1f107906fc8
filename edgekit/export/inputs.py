"""What a model takes, as a flat tuple of named tensors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def flat_inputs(where: str, model: nn.Module, given: Any) -> tuple[list[str], list[Any]]:
    """Return names and values of what ``model`` is given; it takes them flat and in order from now on.

    Args:
        where: the model comes from, for errors.
        model: changed in place where ``given`` is not flat already.
        given: one value, several in order, or by the names of forward's arguments; lists and dicts may
            lie inside, and ``None`` stands for what is left out.

    Raises:
        ValueError: ``given`` has names that ``forward`` does not.
    """
    args, kwargs = _arguments(where, model, given)
    parameters = _parameters(model)
    names = [parameter.name for parameter in parameters if parameter.kind in _BY_POSITION]
    named = [*zip([*names, *(f"input{i}" for i in range(len(names), len(args)))], args, strict=False)]
    leaves = [leaf for name, value in [*named, *kwargs.items()] for leaf in _leaves(name, value)]
    if kwargs or any(isinstance(value, (Mapping, tuple, list)) or value is None for value in args):
        _take_flat(model, args, kwargs)
    seen: dict[str, int] = {}
    for name, _ in leaves:
        seen[name] = seen.get(name, 0) + 1
    unique = [name if seen[name] == 1 else f"{name}{i}" for i, (name, _) in enumerate(leaves)]
    return unique, [value for _, value in leaves]


def _arguments(where: str, model: nn.Module, given: Any) -> tuple[list[Any], dict[str, Any]]:
    if not isinstance(given, Mapping):
        return (list(given) if isinstance(given, (tuple, list)) else [given]), {}
    parameters = {parameter.name: parameter for parameter in _parameters(model)}
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    unknown = [name for name in given if name not in parameters]
    needed = [one for one in parameters.values() if one.default is one.empty and one.kind in _BY_POSITION]
    if len(unknown) == len(given) and len(needed) == 1 and len(parameters) == 1:
        return [given], {}  # forward takes the dict itself
    if (unknown and not takes_any) or (parameters and any(one.name not in given for one in needed)):
        known = ", ".join(
            one.name for one in parameters.values() if one.kind in (*_BY_POSITION, one.KEYWORD_ONLY)
        )
        raise ValueError(
            f"{where}: inputs are called {', '.join(map(str, given))}; the arguments of forward are "
            f"{known or 'without names'}: give these"
        )
    args, kwargs = [], dict(given)
    for parameter in parameters.values():
        if parameter.kind not in _BY_POSITION or parameter.name not in kwargs:
            break
        args.append(kwargs.pop(parameter.name))
    return args, kwargs


def _parameters(model: nn.Module) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):  # compiled, as TorchScript is
        return []


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what lies in ``value`` with names, the keys of dicts among them, ``None`` left out."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(str(key), part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _leaves(name, part)
    elif value is not None:
        yield name, value


def _take_flat(model: nn.Module, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Let ``model`` take the leaves of ``args`` and ``kwargs`` one after the other."""
    kind = type(model)
    shape = _emptied([args, kwargs])

    @functools.wraps(kind.forward)
    def forward(self: nn.Module, *tensors: torch.Tensor) -> Any:
        args, kwargs = _filled(shape, iter(tensors))
        return kind.forward(self, *args, **kwargs)

    del forward.__wrapped__  # what it takes is not what the model's own takes
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    model.__class__ = type(kind.__name__, (kind,), {"forward": forward, **names})


def _emptied(value: Any) -> Any:
    """Return ``value`` with ``...`` in the place of every leaf."""
    if isinstance(value, Mapping):
        return {key: _emptied(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_emptied(part) for part in value]
    return None if value is None else ...


def _filled(shape: Any, tensors: Iterator[torch.Tensor]) -> Any:
    if isinstance(shape, dict):
        return {key: _filled(part, tensors) for key, part in shape.items()}
    if isinstance(shape, list):
        return [_filled(part, tensors) for part in shape]
    return next(tensors) if shape is ... else None
