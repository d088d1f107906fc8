"""Builds ``.tflite`` files as other tools write them: open shapes, control flow, several signatures."""

import numpy as np
import pytest

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
flatbuffers = pytest.importorskip("flatbuffers")
MAP = (1, 16, 16, 4)


class File:
    """A file of several graphs, filled op by op."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version, self.model.buffers = 3, [schema.BufferT()]
        self.model.operatorCodes, self.model.subgraphs, self.model.signatureDefs = [], [], []

    def graph(self, name):
        """Begin a graph and return it."""
        graph = schema.SubGraphT()
        graph.name, graph.tensors, graph.operators = name, [], []
        self.model.subgraphs.append(graph)
        return graph

    def tensor(self, graph, name, shape, dtype="FLOAT32", data=None, signature=None):
        """Add a tensor and return its place."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.shapeSignature = name, list(shape), signature
        tensor.type = getattr(schema.TensorType, dtype)
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.asarray(data).tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        graph.tensors.append(tensor)
        return len(graph.tensors) - 1

    def op(self, graph, name, inputs, outputs, options=None):
        """Add an op."""
        code, op = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        op.opcodeIndex, op.inputs, op.outputs = len(self.model.operatorCodes), inputs, outputs
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            op.builtinOptions, op.builtinOptionsType = options, getattr(schema.BuiltinOptions, kind)
        self.model.operatorCodes.append(code)
        graph.operators.append(op)

    def conv(self, graph, source, name, factor=2.0, signature=None):
        """Add a 1x1 convolution that multiplies by ``factor``; return its output."""
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        eye = factor * np.eye(MAP[-1], dtype=np.float32)
        weight = self.tensor(graph, f"{name}_w", (MAP[-1], 1, 1, MAP[-1]), data=eye)
        bias = self.tensor(graph, f"{name}_b", (MAP[-1],), data=np.zeros(MAP[-1], np.float32))
        out = self.tensor(graph, name, graph.tensors[source].shape, signature=signature)
        self.op(graph, "CONV_2D", [source, weight, bias], [out], options)
        return out

    def ends(self, graph, inputs, outputs):
        """Say what goes into a graph and comes out."""
        graph.inputs, graph.outputs = inputs, outputs

    def sign(self, key, place, inputs, outputs):
        """Add a signature of the graph at ``place``; inputs and outputs are tensors by name."""
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = key, place
        signature.inputs, signature.outputs = [], []
        for side, names in ((signature.inputs, inputs), (signature.outputs, outputs)):
            for name, tensor in names.items():
                entry = schema.TensorMapT()
                entry.name, entry.tensorIndex = name, tensor
                side.append(entry)
        self.model.signatureDefs.append(signature)

    def write(self, path):
        """Write the file and return its path."""
        builder = flatbuffers.Builder(0)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        path.write_bytes(bytes(builder.Output()))
        return path


def write_open(path, axes=(1, 2)):
    """Write a convolution by 2 whose ``axes`` have no size in the file: 1 stands there."""
    shape = [1 if axis in axes else side for axis, side in enumerate(MAP)]
    signature = [-1 if axis in axes else side for axis, side in enumerate(MAP)]
    file = File()
    graph = file.graph("main")
    x = file.tensor(graph, "serving_default_input:0", shape, signature=signature)
    y = file.conv(graph, x, "Identity", signature=signature)
    file.ends(graph, [x], [y])
    file.sign("serving_default", 0, {"input": x}, {"output": y})
    return file.write(path)


def write_branch(path):
    """Write a file that multiplies by 2, by IF by 3 where the sum is above 0, else by 4, and cumulates."""
    file = File()
    main = file.graph("main")
    x = file.tensor(main, "x", MAP)
    total, is_above = file.tensor(main, "sum", ()), file.tensor(main, "above", (), "BOOL")
    axes = file.tensor(main, "axes", (4,), "INT32", np.arange(4, dtype=np.int32))
    zero = file.tensor(main, "zero", (), data=np.float32(0))
    file.op(main, "SUM", [x, axes], [total], schema.ReducerOptionsT())
    file.op(main, "GREATER", [total, zero], [is_above], schema.GreaterOptionsT())
    h, y = file.conv(main, x, "h"), file.tensor(main, "y", MAP)
    options = schema.IfOptionsT()
    options.thenSubgraphIndex, options.elseSubgraphIndex = 1, 2
    file.op(main, "IF", [is_above, h], [y], options)
    file.ends(main, [x], [y])
    for name, factor in (("grow", 3.0), ("shrink", 4.0)):
        body = file.graph(name)
        given = file.tensor(body, f"{name}_in", MAP)
        out = file.conv(body, given, f"{name}_out", factor)
        axis = file.tensor(body, f"{name}_axis", (), "INT32", np.int32(1))
        summed = file.tensor(body, f"{name}_sum", MAP)
        file.op(body, "CUMSUM", [out, axis], [summed], schema.CumsumOptionsT())
        file.ends(body, [given], [summed])
    return file.write(path)


def write_loop(path, turns=3):
    """Write a file that multiplies by 2 ``turns`` times, by WHILE."""
    file = File()
    main = file.graph("main")
    x = file.tensor(main, "x", MAP)
    n = file.tensor(main, "n", (), "INT32", np.int32(0))
    n_out, y = file.tensor(main, "n_out", (), "INT32"), file.tensor(main, "y", MAP)
    options = schema.WhileOptionsT()
    options.condSubgraphIndex, options.bodySubgraphIndex = 1, 2
    file.op(main, "WHILE", [n, x], [n_out, y], options)
    file.ends(main, [x], [y])
    test = file.graph("test")
    i, given = file.tensor(test, "test_i", (), "INT32"), file.tensor(test, "test_x", MAP)
    most = file.tensor(test, "turns", (), "INT32", np.int32(turns))
    goes_on = file.tensor(test, "goes_on", (), "BOOL")
    file.op(test, "LESS", [i, most], [goes_on], schema.LessOptionsT())
    file.ends(test, [i, given], [goes_on])
    body = file.graph("turn")
    i, given = file.tensor(body, "turn_i", (), "INT32"), file.tensor(body, "turn_x", MAP)
    one, after = file.tensor(body, "one", (), "INT32", np.int32(1)), file.tensor(body, "after", (), "INT32")
    file.op(body, "ADD", [i, one], [after], schema.AddOptionsT())
    file.ends(body, [i, given], [after, file.conv(body, given, "turn_y")])
    return file.write(path)


def write_state(path):
    """Write a file that adds up what it is given, in a variable that CALL_ONCE sets to 0."""
    file = File()
    main = file.graph("main")
    x, before, y = (file.tensor(main, name, MAP) for name in ("x", "before", "y"))
    handle = file.tensor(main, "handle", (), "RESOURCE")
    once, variable = schema.CallOnceOptionsT(), schema.VarHandleOptionsT()
    once.initSubgraphIndex, variable.container, variable.sharedName = 1, "", "state"
    file.op(main, "CALL_ONCE", [], [], once)
    file.op(main, "VAR_HANDLE", [], [handle], variable)
    file.op(main, "READ_VARIABLE", [handle], [before], schema.ReadVariableOptionsT())
    file.op(main, "ADD", [x, before], [y], schema.AddOptionsT())
    file.op(main, "ASSIGN_VARIABLE", [handle, y], [], schema.AssignVariableOptionsT())
    file.ends(main, [x], [y])
    init = file.graph("init")
    handle = file.tensor(init, "init_handle", (), "RESOURCE")
    zeros = file.tensor(init, "zeros", MAP, data=np.zeros(MAP, np.float32))
    file.op(init, "VAR_HANDLE", [], [handle], variable)
    file.op(init, "ASSIGN_VARIABLE", [handle, zeros], [], schema.AssignVariableOptionsT())
    file.ends(init, [], [])
    return file.write(path)


def write_computed_size(path):
    """Write a file that multiplies by 2 and returns rows, whose number it computes from its input's shape."""
    file = File()
    main = file.graph("main")
    x = file.tensor(main, "x", MAP)
    shape, rows = file.tensor(main, "shape", (4,), "INT32"), file.tensor(main, "rows", (1,), "INT32")
    begin, size = (file.tensor(main, n, (1,), "INT32", np.int32([v])) for n, v in (("at", 1), ("size", 1)))
    rest = file.tensor(main, "rest", (1,), "INT32", np.int32([-1]))
    wanted, y = file.tensor(main, "wanted", (2,), "INT32"), file.tensor(main, "y", (1, 1))
    h = file.conv(main, x, "h")
    options = schema.ShapeOptionsT()
    options.outType = schema.TensorType.INT32
    file.op(main, "SHAPE", [x], [shape], options)
    file.op(main, "SLICE", [shape, begin, size], [rows], schema.SliceOptionsT())
    file.op(main, "CONCATENATION", [rows, rest], [wanted], schema.ConcatenationOptionsT())
    file.op(main, "RESHAPE", [h, wanted], [y], schema.ReshapeOptionsT())
    file.ends(main, [x], [y])
    return file.write(path)


def write_signatures(path):
    """Write a file of two signatures: ``encode`` multiplies by 2, ``decode`` by 3."""
    file = File()
    for place, (key, factor) in enumerate((("encode", 2.0), ("decode", 3.0))):
        graph = file.graph(key)
        x = file.tensor(graph, f"{key}_in", MAP)
        y = file.conv(graph, x, f"{key}_out", factor)
        file.ends(graph, [x], [y])
        file.sign(key, place, {"x": x}, {"y": y})
    return file.write(path)
