"""Read every layer's values from a ``.tflite`` file, with the path of the module it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from edgekit.export._quiet import quiet
from edgekit.export.litert import module_names
from edgekit.tasks import Frame
from runtime.engines.tflite_names import WEIGHTED_OPS
from runtime.extras import require


@dataclass(frozen=True)
class Layer:
    """Output of one op of the file.

    Attributes:
        module_path: the module that the op is named after: of a convolution fused with its
            activation, the convolution.
        seen_at: the module whose output this is: the activation.
        values: float, shape (frames, ...) in the file's layout, channels last.
        clamp: ends of the activation that the op ends with, ``None`` without one: a layer and a
            ``relu`` that is no module become one op.
    """

    module_path: str
    seen_at: str
    values: np.ndarray
    clamp: tuple[float, float] | None = None

    def fit(self, shape: tuple[int, ...]) -> list[np.ndarray]:
        """Return the values in ``shape``, channels first, in every way in which they fit.

        There are two where a map is as high and wide as it has channels.
        """
        ways = [self.values]
        if self.values.ndim == 5:
            ways.append(self.values.transpose(0, 1, 4, 2, 3))
        return [way.reshape(shape) for way in ways if _sides(way.shape) == _sides(shape)]


def read_layers(data: bytes, model: nn.Module, frames: Sequence[Frame]) -> list[Layer]:
    """Run a file without delegate and return what each op gave.

    Args:
        data: contents of a ``.tflite`` file.
        model: that it was made from; tells module paths.
        frames: inputs.
    """
    litert = require("ai_edge_litert.interpreter", extra="litert")
    with quiet():
        interpreter = litert.Interpreter(
            model_content=data,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    details = {int(detail["index"]): detail for detail in interpreter.get_tensor_details()}
    clamps = _clamps(data)
    ops = [
        (op["op_name"], int(t), clamps.get(int(t)))
        for op in interpreter._get_ops_details()
        for t in op["outputs"]
    ]
    name_of = module_names(model)
    named = []
    for kind, index, clamp in ops:
        name = details[index]["name"]
        seen_at, module_path = name_of(name, False), name_of(name, kind in WEIGHTED_OPS)
        if seen_at is not None:
            named.append((module_path or seen_at, seen_at, details[index], clamp))
    runs: list[list[np.ndarray]] = []
    for frame in frames:
        for detail, array in zip(interpreter.get_input_details(), frame, strict=True):
            interpreter.set_tensor(detail["index"], _quantise(array, detail))
        interpreter.invoke()
        runs.append([_dequantise(interpreter.get_tensor(d["index"]), d) for _, _, d, _ in named])
    return [
        Layer(module_path, seen_at, np.stack([run[i] for run in runs]), clamp)
        for i, (module_path, seen_at, _, clamp) in enumerate(named)
    ]


def _clamps(data: bytes) -> dict[int, tuple[float, float]]:
    """Return the ends of the activations that ops end with, by the tensor that such an op gives."""
    schema = require("ai_edge_litert.schema_py_generated", extra="litert")
    kinds = schema.ActivationFunctionType
    ends = {kinds.RELU: (0.0, np.inf), kinds.RELU6: (0.0, 6.0), kinds.RELU_N1_TO_1: (-1.0, 1.0)}
    graph = schema.ModelT.InitFromPackedBuf(data).subgraphs[0]
    fused = {
        int(op.outputs[0]): getattr(op.builtinOptions, "fusedActivationFunction", kinds.NONE)
        for op in graph.operators
        if len(op.outputs) == 1
    }
    return {tensor: ends[kind] for tensor, kind in fused.items() if kind in ends}


def _sides(shape: tuple[int, ...]) -> list[int]:
    """Return the sides above 1: where they agree, both shapes hold the same values in the same order."""
    return [side for side in shape if side != 1]


def _scale(detail: dict[str, Any]) -> tuple[float, int] | None:
    scales = detail["quantization_parameters"]["scales"]
    points = detail["quantization_parameters"]["zero_points"]
    return (float(scales[0]), int(points[0])) if len(scales) == 1 else None


def _quantise(array: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    dtype, scale = np.dtype(detail["dtype"]), _scale(detail)
    if scale is None or dtype.kind == "f" or array.dtype.kind != "f":
        return array.astype(dtype)
    info = np.iinfo(dtype)
    return np.clip(np.round(array / scale[0]) + scale[1], info.min, info.max).astype(dtype)


def _dequantise(array: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    scale = _scale(detail)
    if scale is None or array.dtype.kind == "f":
        return np.asarray(array)
    return ((array.astype(np.float64) - scale[1]) * scale[0]).astype(np.float32)
