"""Builds .tflite files by hand, so that every figure in them is known."""

import numpy as np
import pytest

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
flatbuffers = pytest.importorskip("flatbuffers")


def write_tflite(path, tensors, operators, inputs, outputs):
    """Write a graph of tensors (name, shape, data) and operators (name, inputs, outputs, options).

    Tensors are float32; data of integers makes an int32 one.
    """
    model = schema.ModelT()
    model.version = 3
    empty = schema.BufferT()
    model.buffers, model.operatorCodes = [empty], []
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []
    for name, shape, data in tensors:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), schema.TensorType.FLOAT32
        if data is not None:
            buffer, values = schema.BufferT(), np.asarray(data)
            if values.dtype.kind == "i":
                tensor.type, values = schema.TensorType.INT32, values.astype(np.int32)
            else:
                values = values.astype(np.float32)
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            tensor.buffer = len(model.buffers)
            model.buffers.append(buffer)
        graph.tensors.append(tensor)
    for name, op_inputs, op_outputs, options in operators:
        code = schema.OperatorCodeT()
        if hasattr(schema.BuiltinOperator, name):
            code.builtinCode = getattr(schema.BuiltinOperator, name)
        else:
            code.builtinCode, code.customCode = schema.BuiltinOperator.CUSTOM, name
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes)
        operator.inputs, operator.outputs = op_inputs, op_outputs
        if options is not None:
            operator.builtinOptions = options
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        model.operatorCodes.append(code)
        graph.operators.append(operator)
    graph.inputs, graph.outputs = inputs, outputs
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def write_doubling_conv(path, side=8, channels=4):
    """Write a 1x1 convolution that returns twice its input of shape (1, side, side, channels)."""
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    shape = (1, side, side, channels)
    return write_tflite(
        path,
        tensors=[("x", shape, None), ("w", (channels, 1, 1, channels), 2 * np.eye(channels)),
                 ("b", (channels,), np.zeros(channels)), ("y", shape, None)],
        operators=[("CONV_2D", [0, 1, 2], [3], options)],
        inputs=[0],
        outputs=[3],
    )  # fmt: skip


def write_summing_net(path, side=48, channels=16):
    """Write two 1x1 convolutions and, between them, a running sum that no delegate takes."""
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    shape, weight = (1, side, side, channels), (channels, 1, 1, channels)
    scope = "net.Net/torch.nn.modules.conv.Conv2d_"
    return write_tflite(
        path,
        tensors=[("image", shape, None), ("w1", weight, np.eye(channels)),
                 ("b", (channels,), np.zeros(channels)), (f"{scope}first;", shape, None), ("axis", (1,), [1]),
                 ("net.Net/net.Sum_sum;", shape, None), ("w2", weight, np.eye(channels)),
                 (f"{scope}last;", shape, None)],
        operators=[("CONV_2D", [0, 1, 2], [3], options),
                   ("CUMSUM", [3, 4], [5], schema.CumsumOptionsT()),
                   ("CONV_2D", [5, 6, 2], [7], options)],
        inputs=[0],
        outputs=[7],
    )  # fmt: skip
