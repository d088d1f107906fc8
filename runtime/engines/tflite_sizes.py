"""Sizes that a ``.tflite`` file computes from its own shapes in every frame, as constants of a copy.

LiteRT's compiled models, which alone have a profiler, run a file whose outputs have such a size once and
refuse the second frame (2.3.0: "Failed to set custom allocation for output tensor").
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runtime.engines.tflite_kinds import CONTROL_FLOW
from runtime.engines.tflite_parts import pack, put_shapes, unpack
from runtime.engines.tflite_resolve import run_zeros, shapes_of
from runtime.extras import require

SHAPE = "SHAPE"
# Their outputs are not known from their inputs.
_UNKNOWN = {*CONTROL_FLOW, "READ_VARIABLE", "RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL"}


def write_with_constant_sizes(path: Path, out: Path) -> None:
    """Write the file at ``path`` to ``out``: an op that takes a computed size takes it as a constant.

    All ops stay, at their places. LiteRT runs a frame in this process: call it from a worker.

    Raises:
        BundleError: it is too large to be copied.
        RuntimeError, ValueError: LiteRT cannot run it.
    """
    model, interpreter = unpack(path), run_zeros(str(path), {})
    put_shapes(model, shapes_of(interpreter))  # before tensors are added, whose places the interpreter uses
    graph = model.subgraphs[0]
    constant = {place for place, tensor in enumerate(graph.tensors) if _has_data(model, tensor)}
    computed: set[int] = set()
    for op in graph.operators:
        name = _name_of(model, op)
        inputs = {int(place) for place in op.inputs if place >= 0}
        if name == SHAPE or (inputs and inputs <= constant | computed and name not in _UNKNOWN):
            computed.update(int(place) for place in op.outputs)
        elif inputs & computed:
            op.inputs = [_frozen(model, interpreter, int(p)) if p in computed else int(p) for p in op.inputs]
    pack(model, out)


def _frozen(model: Any, interpreter: Any, place: int) -> int:
    """Return the place of a new tensor that holds what the one at ``place`` held."""
    schema = require("ai_edge_litert.schema_py_generated", extra="litert")
    np = require("numpy", extra="litert")
    tensors = model.subgraphs[0].tensors
    value = interpreter.get_tensor(place)
    tensor, buffer = schema.TensorT(), schema.BufferT()
    tensor.name, tensor.type, tensor.shape = tensors[place].name, tensors[place].type, list(value.shape)
    tensor.quantization, tensor.buffer = tensors[place].quantization, len(model.buffers)
    buffer.data = np.frombuffer(value.tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensors.append(tensor)
    return len(tensors) - 1


def _has_data(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return tensor.buffer != 0 and data is not None and len(data) > 0


def _name_of(model: Any, op: Any) -> str:
    schema = require("ai_edge_litert.schema_py_generated", extra="litert")
    code = model.operatorCodes[op.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    return str(names.get(number, number))
