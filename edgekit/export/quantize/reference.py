"""The fake-quantised form of a quantised ``.tflite`` file: what it should compute, in float.

Float kernels run the float file, with the rounding of every int8 tensor put where the quantised
file has that tensor. Weights and biases are the float file's own, so that a value that got lost or
mixed up on the way to int8 shows. What is left of a difference is how engines round sums: half a step
here and there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgekit.export._quiet import quiet
from edgekit.export.quantize.float_file import WEIGHTED
from edgekit.tasks import Frame
from runtime.extras import require

Grid = tuple[float, int]  # step and zero point
# The schema's numbers of FLOAT32, INT32 and INT8; a bias of 64 bits stands in files of 16-bit activations.
_DTYPES = {0: np.float32, 2: np.int32, 9: np.int8}
_STEPS = 0.51
_BETWEEN = ("QUANTIZE", "DEQUANTIZE")


def run_plainly(data: bytes, frames: Sequence[Frame]) -> list[list[np.ndarray]]:
    """Return the outputs of a ``.tflite`` file for each frame as LiteRT's own kernels compute them."""
    litert = require("ai_edge_litert.interpreter", extra="litert")
    with quiet():
        interpreter = litert.Interpreter(
            model_content=data,
            experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    results = []
    for frame in frames:
        for detail, array in zip(interpreter.get_input_details(), frame, strict=True):
            interpreter.set_tensor(detail["index"], array.astype(detail["dtype"]))
        interpreter.invoke()
        results.append([interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()])
    return results


class FakeQuantised:
    """The float file with pairs of QUANTIZE and DEQUANTIZE where the int8 file has int8 tensors.

    Args:
        float_data: the file that was quantised, weights on their grids.
        int8_data: the file made of it; tells which tensors are int8, and their grids.

    Attributes:
        data: contents of the ``.tflite`` file that it is.
        wrong: names of constants that are others in the int8 file than rounding makes them.
    """

    def __init__(self, float_data: bytes, int8_data: bytes):
        self._tools = require("ai_edge_litert.tools.flatbuffer_utils", extra="litert-export")
        self._schema = require("ai_edge_litert.schema_py_generated", extra="litert-export")
        self._model = self._tools.read_model_from_bytearray(bytearray(float_data))
        self._graph = self._model.subgraphs[0]
        self._int8 = self._tools.read_model_from_bytearray(bytearray(int8_data))
        self._makers = {int(t): op for op in self._int8.subgraphs[0].operators for t in op.outputs}
        self._rounded: dict[tuple[int, tuple[Grid, ...]], int] = {}
        self._ops: list[Any] = []
        self.wrong: list[str] = []
        self._rewrite()
        self.data = bytes(self._tools.convert_object_to_bytearray(self._model))

    def _rewrite(self) -> None:
        others = iter(
            [op for op in self._int8.subgraphs[0].operators if not self._is_between(self._int8, op)]
        )
        for op in self._graph.operators:
            if not self._is_between(self._model, op):  # as an input of bytes has one
                other = next(others)
                self._check_constants(op, other)
                pairs = zip(op.inputs, other.inputs, strict=True)
                op.inputs = [self._as_read(int(a), int(b)) for a, b in pairs]
            self._ops.append(op)
        outputs = zip(self._graph.outputs, self._int8.subgraphs[0].outputs, strict=True)
        made = {int(a): self._as_read(int(a), int(b)) for a, b in outputs}
        self._graph.outputs = [made[int(a)] for a in self._graph.outputs]
        for signature in self._model.signatureDefs or ():
            for entry in signature.outputs:
                entry.tensorIndex = made[int(entry.tensorIndex)]
        self._graph.operators = self._ops

    def _is_between(self, model: Any, op: Any) -> bool:
        return self._tools.opcode_to_name(model, op.opcodeIndex) in _BETWEEN

    def _check_constants(self, op: Any, other: Any) -> None:
        grids = [self._int8.subgraphs[0].tensors[int(b)].quantization for b in other.inputs if b >= 0]
        is_layer = self._tools.opcode_to_name(self._model, op.opcodeIndex) in WEIGHTED
        for place, (a, b) in enumerate(zip(op.inputs, other.inputs, strict=True)):
            exact, found = self._constant(self._model, int(a)), self._constant(self._int8, int(b))
            if exact is None or found is None or exact.dtype.kind != "f" or found.dtype.kind != "i":
                continue
            steps = self._steps(int(b), found.ndim)
            zero = np.ravel(self._int8.subgraphs[0].tensors[int(b)].quantization.zeroPoint)[0]
            if not is_layer:  # a limit beyond the grid that it shares with a map, such as -inf
                info = np.iinfo(found.dtype)
                exact = np.clip(exact, (info.min - zero) * steps, (info.max - zero) * steps)
            error = np.abs((found.astype(np.float64) - zero) * steps - exact)
            is_off = error > _STEPS * steps + 1e-6 * np.abs(exact)
            # Of a bias: kernels take its step to be that of the input times that of the weights.
            is_bias = found.dtype == np.int32 and place == 2
            product = np.ravel(grids[0].scale) * np.ravel(grids[1].scale) if is_bias else steps.ravel()
            if is_off.any() or not np.allclose(product, steps.ravel(), rtol=1e-3, atol=0):
                self.wrong.append(self._graph.tensors[int(a)].name.decode())

    def _constant(self, model: Any, index: int) -> np.ndarray | None:
        tensor = model.subgraphs[0].tensors[index]
        data, dtype = model.buffers[tensor.buffer].data, _DTYPES.get(tensor.type)
        if index < 0 or data is None or len(data) == 0 or dtype is None:
            return None
        return (
            np.asarray(data, np.uint8)
            .view(dtype)
            .reshape(tuple(tensor.shape) if tensor.shape is not None else ())
        )

    def _steps(self, index: int, ndim: int) -> np.ndarray:
        """Return the steps of a constant, ready to broadcast with it."""
        note = self._int8.subgraphs[0].tensors[index].quantization
        steps = np.asarray(note.scale, np.float64)
        if len(steps) == 1:
            return steps.reshape((1,) * ndim)
        return steps.reshape([-1 if axis == note.quantizedDimension else 1 for axis in range(ndim)])

    def _as_read(self, tensor: int, other: int) -> int:
        """Return ``tensor`` of the float file rounded as ``other`` of the int8 file is."""
        if tensor < 0 or self._graph.tensors[tensor].type != self._schema.TensorType.FLOAT32:
            return tensor
        grids = self._grids(other)
        key = (tensor, grids)
        if grids and key not in self._rounded:
            self._rounded[key] = self._fake_quantise(tensor, grids)
        return self._rounded.get(key, tensor)

    def _grids(self, tensor: int) -> tuple[Grid, ...]:
        """Return the grids that ``tensor`` of the int8 file went through since an op made it."""
        found: list[Grid] = []
        while True:
            own = self._int8.subgraphs[0].tensors[tensor]
            # Weights have a step per channel and are on their grid, biases have 32 bits.
            if own.type == self._schema.TensorType.INT8 and len(own.quantization.scale) == 1:
                found.append((float(own.quantization.scale[0]), int(own.quantization.zeroPoint[0])))
            maker = self._makers.get(tensor)
            if maker is None or self._tools.opcode_to_name(self._int8, maker.opcodeIndex) not in _BETWEEN:
                return tuple(reversed(found))
            tensor = int(maker.inputs[0])

    def _fake_quantise(self, tensor: int, grids: Sequence[Grid]) -> int:
        for step, zero in grids:
            rounded = self._like(tensor, self._schema.TensorType.INT8)
            note = self._schema.QuantizationParametersT()
            note.scale, note.zeroPoint = [step], [zero]
            self._graph.tensors[rounded].quantization = note
            back = self._like(tensor, self._schema.TensorType.FLOAT32)
            self._ops += [self._op("QUANTIZE", tensor, rounded), self._op("DEQUANTIZE", rounded, back)]
            tensor = back
        return tensor

    def _like(self, index: int, kind: int) -> int:
        """Add a tensor of the shape of another one; return its index."""
        tensor, other = self._schema.TensorT(), self._graph.tensors[index]
        tensor.name, tensor.type, tensor.shape = (
            f"rounded{len(self._graph.tensors)}".encode(),
            kind,
            other.shape,
        )
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _op(self, name: str, source: int, target: int) -> Any:
        schema, codes = self._schema, self._model.operatorCodes
        builtin, word = getattr(schema.BuiltinOperator, name), name.capitalize()
        if all(code.builtinCode != builtin for code in codes):
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = builtin
            code.version = 2  # the first that knows int8
            codes.append(code)
        op = schema.OperatorT()
        op.opcodeIndex = next(i for i, code in enumerate(codes) if code.builtinCode == builtin)
        op.inputs, op.outputs = [source], [target]
        op.builtinOptionsType = getattr(schema.BuiltinOptions, f"{word}Options")
        op.builtinOptions = getattr(schema, f"{word}OptionsT")()
        return op
