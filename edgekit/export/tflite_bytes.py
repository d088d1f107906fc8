"""Let a ``.tflite`` file take bytes as numbers in steps of 1, which its delegate turns into floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.extras import require


def dequantise_bytes(data: bytes) -> bytes:
    """Return the file ``data`` with the casts of its inputs of bytes as dequantisations.

    XNNPACK has no kernel for CAST, and one for DEQUANTIZE. Booleans become bytes.
    """
    tools = require("ai_edge_litert.tools.flatbuffer_utils", extra="litert-export")
    schema = require("ai_edge_litert.schema_py_generated", extra="litert-export")
    model = tools.read_model_from_bytearray(bytearray(data))
    graph, kinds = model.subgraphs[0], schema.TensorType
    changed = _cast_before_transposes(tools, model, kinds)
    for index in graph.inputs:
        readers = [op for op in graph.operators if index in op.inputs]
        is_cast = readers and all(
            tools.opcode_to_name(model, op.opcodeIndex) == "CAST"
            and graph.tensors[op.outputs[0]].type == kinds.FLOAT32
            for op in readers
        )
        if not is_cast or graph.tensors[index].type not in (kinds.UINT8, kinds.INT8, kinds.BOOL):
            continue
        if graph.tensors[index].type == kinds.BOOL:  # which are bytes of 0 and 1, but have no steps
            graph.tensors[index].type = kinds.UINT8
        steps = schema.QuantizationParametersT()
        steps.scale, steps.zeroPoint = np.array([1.0], np.float32), np.array([0], np.int64)
        graph.tensors[index].quantization = steps
        for op in readers:
            op.opcodeIndex = builtin_code(model, schema, "DEQUANTIZE")
            op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.NONE, None
        changed = True
    return bytes(tools.convert_object_to_bytearray(model)) if changed else data


def _cast_before_transposes(tools: Any, model: Any, kinds: Any) -> bool:
    """Let inputs of bytes that are laid out and then cast be cast first; return whether there were any.

    The converter transposes a picture that has its channels first for the convolution behind the cast.
    """
    graph, changed = model.subgraphs[0], False
    for move in graph.operators:
        laid_out, given = move.outputs[0], move.inputs[0]
        casts = [op for op in graph.operators if laid_out in op.inputs]
        is_sole = len(casts) == 1 and sum(given in op.inputs for op in graph.operators) == 1
        names = [tools.opcode_to_name(model, op.opcodeIndex) for op in (move, *casts)]
        if given not in graph.inputs or not is_sole or names != ["TRANSPOSE", "CAST"]:
            continue
        (cast,) = casts
        if graph.tensors[cast.outputs[0]].type != kinds.FLOAT32:
            continue
        # The cast makes a float of the input's shape, in the tensor that was laid out, and goes first.
        graph.tensors[laid_out].type = kinds.FLOAT32
        graph.tensors[laid_out].shape = graph.tensors[given].shape
        cast.inputs, cast.outputs, move.inputs[0], move.outputs = [given], [laid_out], laid_out, cast.outputs
        graph.operators.remove(cast)
        graph.operators.insert(graph.operators.index(move), cast)
        changed = True
    return changed


def builtin_code(model: Any, schema: Any, name: str) -> int:
    """Return the place of the op ``name`` among the codes of ``model``, added where it is missing."""
    builtin, codes = getattr(schema.BuiltinOperator, name), model.operatorCodes
    for i, code in enumerate(codes):
        if code.builtinCode == builtin:
            return i
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    codes.append(code)
    return len(codes) - 1
