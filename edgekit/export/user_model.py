"""Models of the user: a live module, or what a Python file makes, with example inputs.

A file is imported and its function called: it runs as the user's own code, with the user's
rights. ``factory()`` returns one of

* a module that has ``example_inputs``, an attribute or a method without arguments,
* a module and its inputs: ``return Net(), (torch.zeros(1, 3, 224, 224),)``,
* a dict with one of these per named graph: ``{"encode": (enc, (x,)), "decode": (dec, (z, state))}``,
* a bare module, when ``--input-shape`` tells its inputs.

A file without a named function has ``get_model()`` and ``get_args()``. Its variable ``preprocess``,
a ``Preprocess``, says how pictures enter.

Inputs are tensors or arrays, given to ``forward`` in order or by name; lists and dicts of them and
``None`` may stand among them.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from edgekit.export.graph import Origin
from edgekit.export.inputs import flat_inputs
from edgekit.export.preprocess import Preprocess, with_pictures
from edgekit.models.unwrap import unwrap, unwrap_parts
from edgekit.models.user_code import run_user_code, run_user_file
from edgekit.tasks import Frame, SourceGraph
from runtime.bundle import MAIN_GRAPH, TensorSpec

DTYPES = ("float32", "int32", "int64", "bool", "uint8", "int8")
_N_RANDOM = 3
_RETURNS = (
    "a module with example_inputs, (module, inputs), or a dict name -> (module, inputs); or a module alone "
    "with --input-shape 1x3x224x224 on the command line"
)


def load_user_model(model: str, input_shapes: Sequence[Sequence[int]] = (), *, seed: int = 0) -> Origin:
    """Return what the file that ``model`` names makes; see the head of this module.

    Frames to check on are the example inputs and random ones: between the example's smallest and
    largest value, or normal where it is constant; integers are drawn from the example's own.

    Args:
        model: ``path/to/file.py:function``, or ``path/to/file.py``.
        input_shapes: of float32 inputs, for a function that returns a module alone.
        seed: of the random frames, and of torch while the function runs.

    Raises:
        ValueError: there is no such file or function, it returns something else, or its
            ``preprocess`` does not fit.
        ExportError: the user's code fails; says in which line.

    Example:
        >>> load_user_model("detector.py:make", [(1, 3, 320, 320)])   # doctest: +SKIP
    """
    torch.manual_seed(seed)  # so that weights drawn there are the same each time
    file = run_user_file(model)
    parts = dict(file.made) if isinstance(file.made, Mapping) else {MAIN_GRAPH: file.made}
    rng = np.random.default_rng(seed)
    graphs = {
        str(name): _made_graph(file.path, name, part, input_shapes, rng) for name, part in parts.items()
    }
    user_model = {
        "file": file.path.name,
        "function": file.function,
        "sha256": hashlib.sha256(file.path.read_bytes()).hexdigest(),
    }
    origin = Origin(file.path.stem, graphs, (), {"user_model": user_model, "params": _count_params(graphs)})
    if file.preprocess is None or callable(file.preprocess):  # many files have a function of that name
        return origin
    if not isinstance(file.preprocess, Preprocess):
        raise ValueError(
            f"preprocess in {file.path.name} is {type(file.preprocess).__name__}; make it an "
            "edgekit.Preprocess(mean=..., std=..., size=...)"
        )
    return with_pictures(origin, file.preprocess, file.path.parent)


def live_model(
    model: nn.Module, example_inputs: Any, name: str, preprocess: Preprocess | None = None, *, seed: int = 0
) -> Origin:
    """Return a copy of ``model`` on the CPU as what is exported; the model stays as it is.

    Args:
        example_inputs: what ``forward`` takes, batch 1: a tensor or array, several of them in order or
            by name; ``None`` takes the model's own ``example_inputs``. Other frames to check on are
            drawn as ``load_user_model`` does.
        name: of the model, for its files.
        preprocess: how pictures become its first input.
        seed: of the random frames.

    Raises:
        TypeError: ``model`` is no module.
        ValueError: inputs that are none, or do not fit ``preprocess``.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"the model is {type(model).__name__}; give a torch.nn.Module, or a model's name as text"
        )
    where = type(model).__name__
    inputs = example_inputs
    if inputs is None:
        inputs = getattr(model, "example_inputs", None)
        inputs = inputs() if callable(inputs) else inputs
    if inputs is None:
        raise ValueError(
            f"{where} comes without example inputs; give what its forward takes, for example "
            "torch.zeros(1, 3, 224, 224)"
        )
    graphs = {
        MAIN_GRAPH: _graph(where, copy.deepcopy(unwrap(model)).cpu(), inputs, np.random.default_rng(seed))
    }
    origin = Origin(name, graphs, (), {"user_model": {"class": where}, "params": _count_params(graphs)})
    return origin if preprocess is None else with_pictures(origin, preprocess)


def _made_graph(
    path: Path, name: str, part: Any, shapes: Sequence[Sequence[int]], rng: np.random.Generator
) -> SourceGraph:
    model, inputs = part if isinstance(part, tuple) and len(part) == 2 else (part, None)
    if not isinstance(model, nn.Module):
        raise ValueError(
            f"{path.name} returns {type(part).__name__} for graph {name!r}; it must return {_RETURNS}"
        )
    if inputs is None and not isinstance(part, tuple):
        inputs = getattr(model, "example_inputs", None)
        inputs = run_user_code(path, inputs) if callable(inputs) else inputs
    if inputs is not None and shapes:
        raise ValueError(f"{path.name} brings example inputs; leave out --input-shape")
    if inputs is None and not shapes:
        raise ValueError(f"{path.name} gives no inputs for graph {name!r}; it must return {_RETURNS}")
    if inputs is not None:
        return _graph(path.name, model, inputs, rng)
    drawn = tuple(rng.standard_normal(tuple(shape)).astype(np.float32) for shape in shapes)
    return _graph(path.name, model, drawn, rng, first="a random input")


def _graph(
    where: str, model: nn.Module, inputs: Any, rng: np.random.Generator, first: str = "the example input"
) -> SourceGraph:
    model = unwrap(model)
    unwrap_parts(model)
    names, values = flat_inputs(where, model, inputs)
    example = _arrays(where, values)
    specs = tuple(
        TensorSpec(name, str(array.dtype), array.shape) for name, array in zip(names, example, strict=True)
    )
    frames = (example, *(tuple(_like(array, rng) for array in example) for _ in range(_N_RANDOM)))
    return SourceGraph(model, specs, frames, f"{first} and {_N_RANDOM} random ones")


def _arrays(where: str, inputs: Sequence[Any]) -> Frame:
    arrays = []
    for i, value in enumerate(inputs):
        if not isinstance(value, (torch.Tensor, np.ndarray)):
            raise ValueError(
                f"{where}: input {i} is {type(value).__name__}; inputs are tensors or arrays, in the "
                "order of forward's arguments"
            )
        dtype = value.dtype.name if isinstance(value, np.ndarray) else str(value.dtype).removeprefix("torch.")
        if dtype not in DTYPES:  # before it becomes an array: numpy lacks some of torch's types
            raise ValueError(
                f"{where}: input {i} is {dtype}; allowed: {', '.join(DTYPES)}: convert it, for example "
                "with .float()"
            )
        array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
        arrays.append(np.ascontiguousarray(array).reshape(array.shape))
    return tuple(arrays)


def _like(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if array.dtype.kind != "f":
        return rng.choice(array.ravel(), array.shape).astype(array.dtype)
    low, high = float(array.min()), float(array.max())
    drawn = rng.uniform(low, high, array.shape) if low < high else rng.standard_normal(array.shape)
    return drawn.astype(array.dtype)


def _count_params(graphs: Mapping[str, SourceGraph]) -> int:
    networks = {graph.model for graph in graphs.values()}
    return sum(parameter.numel() for network in networks for parameter in network.parameters())
