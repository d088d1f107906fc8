"""Why LiteRT's XNNPACK delegate left an op outside, derived from the file.

The delegate knows, but says so only when it is built with XNNPACK_DELEGATE_ENABLE_LOGGING, which
PyPI's is not. These are its own checks, in its order:
https://github.com/google-ai-edge/LiteRT/blob/main/tflite/delegates/xnnpack/xnnpack_delegate.cc
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from runtime.bundle.decoding import why
from runtime.engines.tflite_graph import DAMAGED, GraphReader
from runtime.errors import BundleError
from runtime.extras import require

_DERIVED = " (derived from the file: LiteRT does not say)"
_UNARY = """ABS CEIL COS DEQUANTIZE ELU EXP FLOOR GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC NEG QUANTIZE RELU
    RELU6 RELU_N1_TO_1 ROUND RSQRT SIN SQRT SQUARE TANH"""
_BINARY = "ADD DIV MAXIMUM MINIMUM MUL PRELU SQUARED_DIFFERENCE SUB"
_OTHERS = """ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL CONCATENATION CONV_2D DEPTHWISE_CONV_2D
    DEPTH_TO_SPACE EXPAND_DIMS FULLY_CONNECTED MAX_POOL_2D MEAN PAD READ_VARIABLE REDUCE_MAX REDUCE_MIN
    RESHAPE RESIZE_BILINEAR SLICE SOFTMAX SPACE_TO_DEPTH SPLIT STRIDED_SLICE SUM TRANSPOSE TRANSPOSE_CONV
    VAR_HANDLE"""
_KNOWN = set(f"{_UNARY} {_BINARY} {_OTHERS}".split())
# Inputs that are no data but settings of the op, and must be constants.
_SETTINGS = {
    "EXPAND_DIMS": (1,), "MEAN": (1,), "PAD": (1,), "REDUCE_MAX": (1,), "REDUCE_MIN": (1,), "RESHAPE": (1,),
    "RESIZE_BILINEAR": (1,), "SLICE": (1, 2), "SPLIT": (0,), "STRIDED_SLICE": (1, 2, 3), "SUM": (1,),
    "TRANSPOSE": (1,), "TRANSPOSE_CONV": (0,),
}  # fmt: skip
_WEIGHTS = {
    "CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (1, 2), "TRANSPOSE_CONV": (1, 3),
    "PRELU": (1,),
}  # fmt: skip
_TYPES = ("FLOAT32", "FLOAT16", "INT8", "UINT8", "INT4", "INT2")
_MAX_INPUTS = {"CONCATENATION": 5}
_MAX_OUTPUTS = {"SPLIT": 4}
_MAX_DIMENSIONS = 6
_ACTIVATIONS = ("TANH", "SIGN_BIT")


def refusals(data: bytes, indices: Iterable[int]) -> dict[int, str]:
    """Return for each of the ops at ``indices`` of the file why XNNPACK does not take it.

    Args:
        data: contents of a ``.tflite`` file.
        indices: places of ops that were left outside.

    Raises:
        BundleError: the file is damaged.
    """
    schema = require("ai_edge_litert.schema_py_generated", extra="litert")
    try:
        reader = GraphReader(schema, data, lambda name, weighted: None)
        return {index: _Op(reader, index).refusal() + _DERIVED for index in indices}
    except DAMAGED as err:
        raise BundleError(f"the .tflite file is damaged ({why(err)}); copy or export it again") from err


class _Op:
    """One op with its tensors; an absent tensor is left out of ``inputs`` but keeps its place."""

    def __init__(self, reader: GraphReader, index: int):
        self.reader, self.operator = reader, reader.subgraph.Operators(index)
        self.name = reader.op_name(self.operator)
        count = self.operator.InputsLength()
        self.inputs = {i: int(self.operator.Inputs(i)) for i in range(count) if self.operator.Inputs(i) >= 0}
        self.outputs = [int(self.operator.Outputs(i)) for i in range(self.operator.OutputsLength())]

    def refusal(self) -> str:
        if self.name not in _KNOWN:
            return f"XNNPACK has no kernel for {self.name}"
        found = next(self._reasons(), None)
        if found is not None:
            return found
        tensors = ", ".join(f"{self.type_of(t)} {self.reader.shape(t)}" for t in [*self.inputs.values()][:3])
        return f"XNNPACK has a kernel for {self.name}, but refuses this one, on {tensors}"

    def _reasons(self) -> Iterator[str]:
        settings = _SETTINGS.get(self.name, ())
        data = [t for i, t in self.inputs.items() if i not in settings]
        if self.name in ("CONV_2D", "DEPTHWISE_CONV_2D") and 2 not in self.inputs:
            yield "it has no bias, which XNNPACK wants"
        for t in [*data[:1], *self.outputs]:
            if self.type_of(t) not in _TYPES:
                yield f"its tensors are {self.type_of(t)}; XNNPACK computes on FLOAT32, INT8 and UINT8"
            if self._is_dynamic(t):
                yield "its shape is known only at run time; XNNPACK wants static shapes"
            if len(self.reader.shape(t)) > _MAX_DIMENSIONS:
                dimensions = len(self.reader.shape(t))
                yield f"its tensors have {dimensions} dimensions; XNNPACK takes up to {_MAX_DIMENSIONS}"
        for i in _WEIGHTS.get(self.name, ()):
            if i in self.inputs and not self.reader.constant[self.inputs[i]]:
                yield f"its weights (input {i}) are computed at run time; XNNPACK wants constants"
        for i in settings:
            if i in self.inputs and not self.reader.constant[self.inputs[i]]:
                yield f"its settings (input {i}) are computed at run time; XNNPACK wants constants"
        if len(self.inputs) > _MAX_INPUTS.get(self.name, len(self.inputs)):
            yield f"it has {len(self.inputs)} inputs; XNNPACK takes up to {_MAX_INPUTS[self.name]}"
        if len(self.outputs) > _MAX_OUTPUTS.get(self.name, len(self.outputs)):
            yield f"it has {len(self.outputs)} outputs; XNNPACK takes up to {_MAX_OUTPUTS[self.name]}"
        check = _CHECKS.get(self.name)
        if check is not None:
            yield from check(self)
        activation = self._activation()
        if activation in _ACTIVATIONS:
            yield f"its fused activation is {activation}, which XNNPACK cannot fuse"

    def options(self, kind: str) -> Any:
        """Return the op's options as ``kind`` of the schema."""
        options = getattr(self.reader.schema, kind)()
        stored = self.operator.BuiltinOptions()
        options.Init(stored.Bytes, stored.Pos)
        return options

    def numbers(self, place: int) -> list[int]:
        """Return the values of a constant input of int32."""
        tensor = self.reader.tensors[self.inputs[place]]
        data = self.reader.model.Buffers(tensor.Buffer()).DataAsNumpy()
        return [] if isinstance(data, int) else [int(value) for value in data.view("<i4")]

    def type_of(self, t: int) -> str:
        """Return the schema's name of a tensor's element type."""
        return self.reader.dtypes.get(self.reader.tensors[t].Type(), "unknown")

    def _is_dynamic(self, t: int) -> bool:
        tensor = self.reader.tensors[t]
        signature = [tensor.ShapeSignature(i) for i in range(tensor.ShapeSignatureLength())]
        return -1 in signature or any(side <= 0 for side in self.reader.stored_shape(t))

    def _activation(self) -> str | None:
        kind = _FUSING.get(self.name)
        if kind is None or self.operator.BuiltinOptions() is None:
            return None
        number = self.options(kind).FusedActivationFunction()
        kinds = vars(self.reader.schema.ActivationFunctionType).items()
        return next((name for name, value in kinds if value == number), None)


def _check_strided_slice(op: _Op) -> Iterator[str]:
    strides = op.numbers(3)
    if any(stride != 1 for stride in strides):
        yield f"its strides are {strides}; XNNPACK takes only 1"
    options = op.options("StridedSliceOptions")
    if options.EllipsisMask() or options.NewAxisMask() or options.ShrinkAxisMask():
        yield "it drops or adds an axis (a mask is set), which XNNPACK does not"


def _check_one_type(op: _Op) -> Iterator[str]:
    """Of the weighted ops only CONV_2D and FULLY_CONNECTED quantise their input while they run."""
    given, weights = op.type_of(op.inputs[0]), op.type_of(op.inputs[1])
    if given != weights:
        yield f"its input is {given}, its weights {weights}; XNNPACK wants one type for both"


def _check_pool(op: _Op) -> Iterator[str]:
    options = op.options("Pool2DOptions")
    height, width = options.FilterHeight(), options.FilterWidth()
    if options.StrideH() > height or options.StrideW() > width:
        steps = f"{options.StrideH()}x{options.StrideW()}"
        yield f"its stride {steps} exceeds its window {height}x{width}; XNNPACK wants it within"


def _check_softmax(op: _Op) -> Iterator[str]:
    beta = op.options("SoftmaxOptions").Beta()
    if beta != 1:
        yield f"its beta is {beta:g}; XNNPACK takes only 1"


_CHECKS: dict[str, Callable[[_Op], Iterator[str]]] = {
    "DEPTHWISE_CONV_2D": _check_one_type,
    "PRELU": _check_one_type,
    "STRIDED_SLICE": _check_strided_slice,
    "AVERAGE_POOL_2D": _check_pool,
    "MAX_POOL_2D": _check_pool,
    "SOFTMAX": _check_softmax,
}
_FUSING = {
    "ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions",
    "CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions", "MAX_POOL_2D": "Pool2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions", "FULLY_CONNECTED": "FullyConnectedOptions",
    "CONCATENATION": "ConcatenationOptions",
}  # fmt: skip
