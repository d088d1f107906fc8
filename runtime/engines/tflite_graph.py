"""Read what is inside a ``.tflite`` file: inputs, outputs and the cost of every op.

Needs the flatbuffer schema that ``ai-edge-litert`` carries, and neither torch nor an interpreter.
Schema: https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs
"""

from __future__ import annotations

import math
import os
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from runtime.bundle import TensorSpec
from runtime.bundle.workload import Op, Workload
from runtime.engines.tflite_content import Signature, TfliteGraph
from runtime.engines.tflite_kinds import CONTROL_FLOW, COPIES, POOLS, kind_by_name
from runtime.engines.tflite_names import NameOf, module_path
from runtime.errors import BundleError
from runtime.extras import require

# What the generated accessors raise at a damaged file, between them.
DAMAGED = (struct.error, LookupError, TypeError, ValueError, AttributeError, OverflowError)
IDENTIFIER = b"TFL3"
_DTYPES = {
    "FLOAT32": ("float32", 4), "FLOAT16": ("float16", 2), "FLOAT64": ("float64", 8),
    "INT8": ("int8", 1), "UINT8": ("uint8", 1), "INT16": ("int16", 2), "INT32": ("int32", 4),
    "INT64": ("int64", 8), "BOOL": ("bool", 1),
}  # fmt: skip


def read_tflite(path: str | os.PathLike[str], name_of: NameOf | None = None) -> TfliteGraph:
    """Read the main graph of the file at ``path``; bodies of control flow are not followed.

    Args:
        path: a file.
        name_of: turns (tensor name, is weighted) into the op's name; default: ``module_path``.

    Raises:
        BundleError: there is no such file, or it is not a whole LiteRT model.
        MissingExtra: ai-edge-litert is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise BundleError(f"there is no model file at {path}; give the path of a .tflite file")
    data = path.read_bytes()
    if data[4:8] != IDENTIFIER:
        raise BundleError(f"{path.name} is not a LiteRT model (no TFL3 mark); give a .tflite file")
    schema = require("ai_edge_litert.schema_py_generated", extra="litert")
    try:
        return GraphReader(schema, data, name_of or module_path).graph()
    except DAMAGED as err:
        raise BundleError(f"{path.name} is damaged ({err}); copy or export it again") from err


def read_tflite_workload(path: str | os.PathLike[str], name_of: NameOf | None = None) -> Workload:
    """Return what one frame of the ``.tflite`` file at ``path`` costs; see ``read_tflite``."""
    return read_tflite(path, name_of).workload


class GraphReader:
    """Walks the main graph with the generated accessors: nothing is copied but what is asked for."""

    def __init__(self, schema: ModuleType, data: bytes, name_of: NameOf):
        self.schema = schema
        self.model = schema.Model.GetRootAs(data)
        self.subgraph = self.model.Subgraphs(0)
        self.tensors = [self.subgraph.Tensors(i) for i in range(self.subgraph.TensorsLength())]
        self.dtypes = _names(schema.TensorType)
        self.op_names = _names(schema.BuiltinOperator)
        self.name_of = name_of
        self.size_bytes = len(data)
        self.constant = [self._is_constant(tensor) for tensor in self.tensors]
        fixed = [i for i, is_fixed in enumerate(self.constant) if is_fixed]
        self.parameters = sum(map(self.elements, fixed))
        halves = sum(self.elements(i) for i in fixed if self.dtypes[self.tensors[i].Type()] == "FLOAT16")
        self.has_fp16_weights = halves > self.parameters / 2

    def graph(self) -> TfliteGraph:
        counts: Counter[str] = Counter()
        ops, indices = [], []
        for i in range(self.subgraph.OperatorsLength()):
            operator = self.subgraph.Operators(i)
            counts[self.op_name(operator)] += 1
            inputs = _present(operator.InputsAsNumpy())
            outputs = _present(operator.OutputsAsNumpy())
            if all(self.constant[t] for t in inputs):
                for t in outputs:
                    self.constant[t] = True
                continue
            ops.append(self.op(operator, inputs, outputs))
            indices.append(i)
        return TfliteGraph(
            inputs=tuple(self.spec(t) for t in self.subgraph.InputsAsNumpy()),
            outputs=tuple(self.spec(t) for t in self.subgraph.OutputsAsNumpy()),
            workload=Workload(tuple(ops)),
            op_counts=dict(counts.most_common()),
            parameters=self.parameters,
            size_bytes=self.size_bytes,
            op_indices=tuple(indices),
            has_fp16_weights=self.has_fp16_weights,
            open_axes=self.open_axes(),
            signatures=tuple(self.signatures()),
            bodies=tuple(dict.fromkeys(self.bodies())),
            graphs=tuple(self.graph_name(i) for i in range(self.model.SubgraphsLength())),
        )

    def open_axes(self) -> dict[str, tuple[int, ...]]:
        ends = [int(t) for t in (*self.subgraph.InputsAsNumpy(), *self.subgraph.OutputsAsNumpy())]
        found = {}
        for t in ends:
            stored, signature = self.stored_shape(t), self.tensors[t]
            sides = signature.ShapeSignatureAsNumpy() if signature.ShapeSignatureLength() else stored
            axes = tuple(axis for axis, side in enumerate(sides) if side < 0)
            if axes:
                found[self.tensor_name(t)] = axes
        return found

    def graph_name(self, index: int) -> str:
        return (self.subgraph_at(index).Name() or b"").decode() or f"graph {index}"

    def subgraph_at(self, index: int) -> Any:
        if not 0 <= index < self.model.SubgraphsLength():
            raise IndexError(f"there is no graph {index}")
        return self.model.Subgraphs(index)

    def bodies(self) -> Iterator[str]:
        for i in range(self.subgraph.OperatorsLength()):
            operator = self.subgraph.Operators(i)
            kind, fields = CONTROL_FLOW.get(self.op_name(operator), ("", ()))
            if fields and operator.BuiltinOptions() is not None:
                options = getattr(self.schema, kind)()
                options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
                yield from (self.graph_name(getattr(options, one)()) for one in fields)

    def signatures(self) -> Iterator[Signature]:
        for i in range(self.model.SignatureDefsLength()):
            found = self.model.SignatureDefs(i)
            inputs = [found.Inputs(k) for k in range(found.InputsLength())]
            tensors = self.subgraph_at(found.SubgraphIndex())
            names = {
                one.Name().decode(): (tensors.Tensors(one.TensorIndex()).Name() or b"").decode()
                for one in inputs
            }
            yield Signature((found.SignatureKey() or b"").decode(), found.SubgraphIndex(), names)

    def op(self, operator: Any, inputs: list[int], outputs: list[int]) -> Op:
        name = self.op_name(operator)
        kind = self.kind(name, inputs)
        channels_out, channels_in, window = self.weight_shape(name, inputs)
        return Op(
            name=self.label(name, kind, inputs, outputs),
            kind=kind,
            macs=self.macs(name, operator, inputs, outputs),
            bytes_read=sum(self.size(t) for t in inputs),
            bytes_written=sum(self.size(t) for t in outputs),
            channels_out=channels_out,
            channels_in=channels_in,
            window=window,
            has_int8_weights=None if window is None else self.dtype(inputs[1])[0] == "int8",
            type=name,
        )

    def kind(self, name: str, inputs: list[int]) -> str:
        if name in ("CONV_2D", "TRANSPOSE_CONV"):
            return "conv2d"
        if name == "DEPTHWISE_CONV_2D":
            return "depthwise_conv2d"
        if name == "FULLY_CONNECTED":
            return "linear" if self.constant[inputs[1]] else "matmul"
        if name == "BATCH_MATMUL":
            return "matmul"
        if name in ("SOFTMAX", "LOG_SOFTMAX"):
            return "softmax"
        return kind_by_name(name)

    def weight_shape(self, name: str, inputs: list[int]) -> tuple[int | None, int | None, int | None]:
        """Return channels out, channels in of one of them, and positions of the kernel."""
        if name in ("CONV_2D", "TRANSPOSE_CONV"):
            channels_out, rows, columns, channels_in = self.shape(inputs[1])
            return channels_out, channels_in, rows * columns
        if name == "DEPTHWISE_CONV_2D":
            _, rows, columns, channels_out = self.shape(inputs[1])
            return channels_out, 1, rows * columns
        if name == "FULLY_CONNECTED":
            return *self.shape(inputs[1])[-2:], 1  # type: ignore[return-value]
        return None, None, None

    def macs(self, name: str, operator: Any, inputs: list[int], outputs: list[int]) -> int:
        out = self.elements(outputs[0]) if outputs else 0
        if name in COPIES:
            return 0
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            rows, columns, depth = self.shape(inputs[1])[1:]  # (N, kh, kw, C/groups), or (1, kh, kw, N)
            return out * rows * columns * (1 if name == "DEPTHWISE_CONV_2D" else depth)
        if name == "TRANSPOSE_CONV":  # inputs: output shape, weight (N, kh, kw, C), map
            return self.elements(inputs[2]) * math.prod(self.shape(inputs[1])[:3])
        if name == "FULLY_CONNECTED":
            return out * self.shape(inputs[1])[-1]
        if name == "BATCH_MATMUL":
            left = self.shape(inputs[0])
            options = self.schema.BatchMatMulOptions()
            options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
            return out * left[-2 if options.AdjX() else -1]
        if name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            options = self.schema.Pool2DOptions()
            options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
            return out * options.FilterHeight() * options.FilterWidth()
        return self.elements(inputs[0]) if name in POOLS else out

    def label(self, name: str, kind: str, inputs: list[int], outputs: list[int]) -> str:
        """Return where the op comes from: its output's name, or its weight's where that says nothing."""
        weighted = kind in ("conv2d", "depthwise_conv2d", "linear")
        for t in [*outputs, *(t for t in inputs if self.constant[t])]:
            found = self.name_of(self.tensor_name(t), weighted)
            if found is not None:
                return found
        return self.tensor_name(outputs[0]) if outputs else name

    def op_name(self, operator: Any) -> str:
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if builtin == self.schema.BuiltinOperator.CUSTOM:
            return str((code.CustomCode() or b"CUSTOM").decode())
        return self.op_names.get(builtin, f"BUILTIN_{builtin}")

    def spec(self, t: int) -> TensorSpec:
        return TensorSpec(self.tensor_name(t), self.dtype(t)[0], self.shape(t))

    def tensor_name(self, t: int) -> str:
        return str((self.tensors[t].Name() or b"").decode())

    def dtype(self, t: int) -> tuple[str, float]:
        name = self.dtypes.get(self.tensors[t].Type(), "UNKNOWN")
        return _DTYPES.get(name, (name.lower(), 4))

    def shape(self, t: int) -> tuple[int, ...]:
        return tuple(1 if side < 0 else side for side in self.stored_shape(t))

    def stored_shape(self, t: int) -> tuple[int, ...]:
        tensor = self.tensors[t]
        return tuple(int(side) for side in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()

    def elements(self, t: int) -> int:
        return math.prod(self.shape(t))

    def size(self, t: int) -> int:
        return int(self.elements(t) * self.dtype(t)[1])

    def _is_constant(self, tensor: Any) -> bool:
        buffer = self.model.Buffers(tensor.Buffer())
        return tensor.Buffer() != 0 and (buffer.DataLength() > 0 or buffer.Size() > 0)


def _present(indices: Any) -> list[int]:
    """Return the tensor indices as ints; -1 marks an optional tensor that is absent."""
    # A generated accessor gives 0 instead of an array where the field is missing.
    return [] if isinstance(indices, int) else [int(t) for t in indices if t >= 0]


def _names(enum: type) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}
