"""Models of the user: what a function in a Python file returns, with example inputs.

The file is imported and its function called: it runs as the user's own code, with the user's
rights. ``factory()`` returns one of

* a module that has ``example_inputs``, an attribute or a method without arguments,
* a module and its inputs: ``return Net(), (torch.zeros(1, 3, 224, 224),)``,
* a dict with one of these per named graph: ``{"encode": (enc, (x,)), "decode": (dec, (z, state))}``,
* a bare module, when ``--input-shape`` tells its inputs.

Inputs are tensors or arrays, given to ``forward`` in order, batch 1 each.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from edgekit.export.graph import Frame, Origin, SourceGraph
from edgekit.export.user_code import call_user_function, run_user_code
from runtime.bundle import MAIN_GRAPH, TensorSpec

DTYPES = ("float32", "int32", "int64", "bool")
_N_RANDOM = 3
_RETURNS = (
    "a module with example_inputs, (module, inputs), or a dict name -> (module, inputs); or a module alone "
    "with --input-shape 1x3x224x224 on the command line"
)


def load_user_model(model: str, input_shapes: Sequence[Sequence[int]] = (), *, seed: int = 0) -> Origin:
    """Return what the function that ``model`` names makes; see the head of this module.

    Frames to check on are the example inputs and random ones: between the example's smallest and
    largest value, or normal where it is constant; integers are drawn from the example's own.

    Args:
        model: ``path/to/file.py:function``.
        input_shapes: of float32 inputs, for a function that returns a module alone.
        seed: of the random frames, and of torch while the function runs.

    Raises:
        ValueError: there is no such file or function, or it returns something else.
        ExportError: the user's code fails; says in which line.

    Example:
        >>> load_user_model("detector.py:make", [(1, 3, 320, 320)])   # doctest: +SKIP
    """
    torch.manual_seed(seed)  # so that weights drawn there are the same each time
    path, result = call_user_function(model)
    parts = dict(result) if isinstance(result, Mapping) else {MAIN_GRAPH: result}
    rng = np.random.default_rng(seed)
    graphs = {str(name): _graph(model, name, part, input_shapes, rng) for name, part in parts.items()}
    networks = {graph.model for graph in graphs.values()}
    facts = {
        "user_model": {
            "file": path.name,
            "function": model.rpartition(":")[2],
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        },
        "params": sum(p.numel() for network in networks for p in network.parameters()),
    }
    return Origin(path.stem, graphs, (), facts)


def _graph(
    where: str, name: str, part: Any, shapes: Sequence[Sequence[int]], rng: np.random.Generator
) -> SourceGraph:
    model, inputs = part if isinstance(part, tuple) and len(part) == 2 else (part, None)
    if not isinstance(model, nn.Module):
        raise ValueError(
            f"{where} returns {type(part).__name__} for graph {name!r}; it must return {_RETURNS}"
        )
    if inputs is None and not isinstance(part, tuple):
        inputs = getattr(model, "example_inputs", None)
        inputs = run_user_code(where, inputs) if callable(inputs) else inputs
    if inputs is not None and shapes:
        raise ValueError(f"{where} brings example inputs; leave out --input-shape")
    if inputs is None and not shapes:
        raise ValueError(f"{where} gives no inputs for graph {name!r}; it must return {_RETURNS}")
    if inputs is None:
        example: Frame = tuple(rng.standard_normal(tuple(shape)).astype(np.float32) for shape in shapes)
    else:
        example = _arrays(where, inputs)
    names = _input_names(model, len(example))
    specs = tuple(
        TensorSpec(name, str(array.dtype), array.shape) for name, array in zip(names, example, strict=True)
    )
    frames = (example, *(tuple(_like(array, rng) for array in example) for _ in range(_N_RANDOM)))
    first = "a random input" if inputs is None else "the example input"
    return SourceGraph(model, specs, frames, f"{first} and {_N_RANDOM} random ones")


def _arrays(where: str, inputs: Any) -> Frame:
    given = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    arrays = []
    for i, value in enumerate(given):
        array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
        if not isinstance(array, np.ndarray):
            raise ValueError(
                f"{where}: input {i} is {type(value).__name__}; inputs are tensors or arrays, in the "
                "order of forward's arguments"
            )
        if array.dtype.name not in DTYPES:
            raise ValueError(
                f"{where}: input {i} is {array.dtype}; allowed: {', '.join(DTYPES)}: convert it, for example "
                "with .float()"
            )
        arrays.append(np.ascontiguousarray(array).reshape(array.shape))
    return tuple(arrays)


def _input_names(model: nn.Module, count: int) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):  # compiled, as TorchScript is
        parameters = ()
    names = [parameter.name for parameter in parameters if parameter.kind in kinds][:count]
    return names + [f"input{i}" for i in range(len(names), count)]


def _like(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if array.dtype.kind != "f":
        return rng.choice(array.ravel(), array.shape).astype(array.dtype)
    low, high = float(array.min()), float(array.max())
    drawn = rng.uniform(low, high, array.shape) if low < high else rng.standard_normal(array.shape)
    return drawn.astype(array.dtype)
