"""Builds .tflite files by hand, so that every figure in them is known."""

import numpy as np
import pytest

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
flatbuffers = pytest.importorskip("flatbuffers")


def write_tflite(path, tensors, operators, inputs, outputs, op_version=1, scales=None):
    """Write a graph of tensors (name, shape, data) and operators (name, inputs, outputs, options).

    Tensors are float32; data of integers makes an int32 one, of float16 a float16 one. ``scales`` holds
    those of quantised tensors by name: they are int8 with zero point 0, or int32 where their data is.
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
            if values.dtype == np.int8:
                tensor.type = schema.TensorType.INT8
            elif values.dtype.kind == "i":
                tensor.type, values = schema.TensorType.INT32, values.astype(np.int32)
            elif values.dtype == np.float16:
                tensor.type = schema.TensorType.FLOAT16
            else:
                values = values.astype(np.float32)
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            tensor.buffer = len(model.buffers)
            model.buffers.append(buffer)
        elif name in (scales or {}):
            tensor.type = schema.TensorType.INT8
        if name in (scales or {}):
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scales[name]], [0]
        graph.tensors.append(tensor)
    for name, op_inputs, op_outputs, options in operators:
        code = schema.OperatorCodeT()
        code.version = op_version
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


def write_doubling_conv(path, side=8, channels=4, op_version=1):
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
        op_version=op_version,
    )  # fmt: skip


def write_int8_doubling_conv(path, side=32, channels=16):
    """Write the same in int8: its output has twice the scale of its input, and so the same bytes."""
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    shape = (1, side, side, channels)
    return write_tflite(
        path,
        tensors=[("x", shape, None), ("w", (channels, 1, 1, channels), 2 * np.eye(channels, dtype=np.int8)),
                 ("b", (channels,), np.zeros(channels, np.int32)), ("y", shape, None)],
        operators=[("CONV_2D", [0, 1, 2], [3], options)],
        inputs=[0],
        outputs=[3],
        op_version=3,
        scales={"x": 0.5, "w": 1.0, "b": 0.5, "y": 1.0},
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


def write_int8(path, kind="CONV_2D", channels=16, side=8, version=3, scales=None):
    """Write one quantised 1x1 CONV_2D or FULLY_CONNECTED; return its weights, and their scales.

    Input scale 0.02, zero point -128; output scale 0.05, zero point 3; no bias. ``scales`` of the weights:
    default one per channel.
    """
    rng = np.random.default_rng(0)
    is_conv = kind == "CONV_2D"
    weights = rng.integers(-127, 128, (channels, channels)).astype(np.int8)
    scales = np.linspace(0.002, 0.004, channels) if scales is None else np.array(scales)
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, graph.tensors = 3, [schema.BufferT()], []

    def tensor(name, shape, type_, scale, zero, data=None):
        one, quantization = schema.TensorT(), schema.QuantizationParametersT()
        one.name, one.shape, one.type, one.buffer = name, np.array(shape, np.int32), type_, 0
        quantization.scale, quantization.zeroPoint = np.float32(scale), np.array(zero, np.int64)
        one.quantization = quantization
        if data is not None:
            model.buffers.append(schema.BufferT())
            model.buffers[-1].data = np.frombuffer(data.tobytes(), np.uint8)
            one.buffer = len(model.buffers) - 1
        graph.tensors.append(one)

    types = schema.TensorType
    rows = (1, side, side, channels) if is_conv else (side, channels)
    tensor("x", rows, types.INT8, [0.02], [-128])
    shape = (channels, 1, 1, channels) if is_conv else (channels, channels)
    tensor("w", shape, types.INT8, scales, [0] * len(scales), weights)
    tensor("b", (channels,), types.INT32, scales * 0.02, [0] * len(scales), np.zeros(channels, np.int32))
    tensor("y", rows, types.INT8, [0.05], [3])
    op, code = schema.OperatorT(), schema.OperatorCodeT()
    op.inputs, op.outputs = np.array([0, 1, 2], np.int32), np.array([3], np.int32)
    options = "Conv2DOptions" if is_conv else "FullyConnectedOptions"
    op.builtinOptionsType = getattr(schema.BuiltinOptions, options)
    op.builtinOptions = getattr(schema, f"{options}T")()
    if is_conv:
        chosen = op.builtinOptions
        chosen.strideH = chosen.strideW = chosen.dilationHFactor = chosen.dilationWFactor = 1
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
    code.version = version
    graph.operators, model.operatorCodes, model.subgraphs = [op], [code], [graph]
    graph.inputs, graph.outputs = np.array([0], np.int32), np.array([3], np.int32)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return weights, scales
