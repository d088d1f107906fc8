"""Count what one frame of an exported program costs, op by op, fused as XNNPACK runs it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from runtime.bundle.workload import Op, Workload
from runtime.engines.tflite_names import ROOT

# Names of ATen ops, without overload.
_NAMES = {
    "conv2d": "conv1d conv2d convolution conv_transpose2d",
    "linear": "linear addmm",
    "matmul": "bmm mm matmul",
    "softmax": "softmax _softmax log_softmax",
    "pool": "adaptive_avg_pool2d adaptive_max_pool2d avg_pool2d max_pool2d mean sum amax",
    "copy": """reshape view flatten unflatten unsqueeze squeeze permute transpose t cat stack pad
        constant_pad_nd slice narrow select split split_with_sizes chunk expand repeat pixel_shuffle
        channel_shuffle""",
    "elementwise": """add add_ sub mul mul_ div maximum minimum relu relu_ relu6 hardtanh hardtanh_ clamp
        hardswish hardswish_ hardsigmoid sigmoid silu silu_ tanh gelu exp log sqrt rsqrt pow neg abs prelu
        leaky_relu elu batch_norm _native_batch_norm_legit_no_training upsample_bilinear2d
        upsample_nearest2d""",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_NOTHING = ("dropout", "dropout_", "identity", "clone", "contiguous", "alias", "detach", "getitem")
# Part of the op they stand before or after, in a quantised program.
_STEPS = ("quantize_per_tensor", "quantize_per_channel", "choose_qparams")
_BACK = ("dequantize_per_tensor", "dequantize_per_channel")
_NORMS = {"batch_norm", "_native_batch_norm_legit_no_training"}
_CLAMPS = {"relu", "relu_", "relu6", "hardtanh", "hardtanh_"}
# XNNPACK gives these an output range, so that a clamp right after them costs nothing.
_TAKES_CLAMP = {"conv1d", "conv2d", "convolution", "linear", "addmm", "add", "add_", "sub", "mul", "mul_"}
_WITH_WEIGHTS = {"conv2d", "depthwise_conv2d", "linear"}
_CONVS = {"conv1d", "conv2d", "convolution"}


def workload_of(program: ExportedProgram) -> Workload:
    """Return the cost of each op of ``program``, in order.

    Batch norm after a convolution and ReLU, ReLU6 after a convolution, linear layer or sum count
    as part of it. Layout changes that the engine adds are not in the program, so not counted.

    Args:
        program: from ``torch.export.export``, shapes static.
    """
    constants = _constants(program)
    producer: dict[Node, str] = {}  # node -> name of the ATen op whose result it is, fused ones included
    ops = []
    for node in program.graph.nodes:
        if node.op != "call_function":
            continue
        name = aten_name(node)
        source = node.all_input_nodes[0] if node.all_input_nodes else None
        is_free = name in (*_NOTHING, *_STEPS, *_BACK) or _is_layout(node, name)
        if is_free or _is_fused(name, source, producer):
            producer[node] = producer.get(source, "") if source is not None else ""
            continue
        producer[node] = name
        ops.append(_op(node, name, constants))
    return Workload(tuple(ops))


def module_path_of(node: Node) -> str:
    """Return the path of the module whose forward made ``node``."""
    stack = node.meta.get("nn_module_stack") or {}
    path = next(reversed(stack.values()))[0] if stack else ""
    return path or ROOT


def _is_layout(node: Node, name: str) -> bool:
    """Return whether ``node`` moves an input's channels to the front: both engines then skip that."""
    return name == "permute" and node.args[0].op == "placeholder" and tuple(node.args[1]) == (0, 3, 1, 2)


def op_kind(name: str) -> str:
    """Return the kind of the ATen op called ``name``, before or after lowering; see ``OP_KINDS``.

    A convolution may also be depthwise, a linear layer a product of two run-time tensors.
    """
    return _KINDS.get(name.removesuffix("_copy"), "other")


def _op(node: Node, name: str, constants: set[Node]) -> Op:
    inputs = node.all_input_nodes
    kind = _kind(name, inputs, constants)
    channels_out, channels_in, window = _weight_shape(node, name, kind)
    return Op(
        name=module_path_of(node),
        kind=kind,
        macs=_macs(node, name, kind),
        bytes_read=sum(_size_bytes(source) for source in inputs),
        bytes_written=_size_bytes(node),
        channels_out=channels_out,
        channels_in=channels_in,
        window=window,
        has_int8_weights=_has_int8_weights(inputs) if kind in _WITH_WEIGHTS else None,
        type=name,
    )


def _has_int8_weights(inputs: Sequence[Node]) -> bool:
    return any(source.op == "call_function" and aten_name(source) in _BACK for source in inputs[1:])


def _weight_shape(node: Node, name: str, kind: str) -> tuple[int | None, int | None, int | None]:
    """Return channels out, channels in of one of them, and positions of the kernel."""
    if kind in ("conv2d", "depthwise_conv2d"):
        weight = _shape(node.all_input_nodes[1])
        first, second = weight[:2] if name != "conv_transpose2d" else weight[1::-1]
        return first, second, math.prod(weight[2:])
    if kind == "linear":
        return _shape(node)[-1], _shape(node.all_input_nodes[0])[-1], 1
    return None, None, None


def _kind(name: str, inputs: Sequence[Node], constants: set[Node]) -> str:
    kind = _KINDS.get(name, "other")
    if kind == "conv2d" and name != "conv_transpose2d":
        channels, weight = _shape(inputs[0])[1], _shape(inputs[1])
        return "depthwise_conv2d" if weight[1] == 1 and channels > 1 else kind
    if kind == "linear" and not any(source in constants for source in inputs[1:]):
        return "matmul"
    return kind


def _macs(node: Node, name: str, kind: str) -> int:
    inputs = node.all_input_nodes
    out = _elements(node)
    if kind == "copy":
        return 0
    if name == "conv_transpose2d":
        return _elements(inputs[0]) * math.prod(_shape(inputs[1])[1:])
    if kind in ("conv2d", "depthwise_conv2d"):
        return out * math.prod(_shape(inputs[1])[1:])
    if name == "addmm":
        return out * _shape(inputs[1])[-1]
    if kind in ("linear", "matmul"):
        return out * _shape(inputs[0])[-1]
    if name in ("avg_pool2d", "max_pool2d"):
        window = node.args[1]
        return out * (math.prod(window) if isinstance(window, (list, tuple)) else window * window)
    return _elements(inputs[0]) if kind == "pool" else out


def _is_fused(name: str, source: Node | None, producer: dict[Node, str]) -> bool:
    if source is None or len(source.users) != 1:
        return False
    if name in _NORMS:
        return producer.get(source) in _CONVS
    return name in _CLAMPS and producer.get(source) in _TAKES_CLAMP


def _constants(program: ExportedProgram) -> set[Node]:
    signature = program.graph_signature
    held = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    held |= signature.inputs_to_lifted_tensor_constants
    constants = {node for node in program.graph.nodes if node.op == "placeholder" and node.name in held}
    for node in program.graph.nodes:
        if node.op == "call_function" and aten_name(node) in _BACK and node.args[0] in constants:
            constants.add(node)
    return constants


def aten_name(node: Node) -> str:
    target = node.target
    if isinstance(target, torch._ops.OpOverload):
        return str(target.overloadpacket.__name__)
    return getattr(target, "__name__", str(target))


def _tensors(node: Node) -> list[torch.Tensor]:
    value = node.meta.get("val")
    values = value if isinstance(value, (list, tuple)) else [value]
    return [v for v in values if isinstance(v, torch.Tensor)]


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(_tensors(node)[0].shape)


def _elements(node: Node) -> int:
    return sum(tensor.numel() for tensor in _tensors(node))


def _size_bytes(node: Node) -> int:
    """Return the bytes of a tensor as it lies in memory: before it is dequantised, after it is quantised."""
    is_dequantized = node.op == "call_function" and aten_name(node) in _BACK
    node = node.args[0] if is_dequantized else _as_written(node)
    return sum(tensor.numel() * tensor.element_size() for tensor in _tensors(node))


def _as_written(node: Node) -> Node:
    """Return the node whose tensor an op writes: its clamp's and its quantised form are made in one go."""
    users = _callers(node)
    while len(users) == 1 and aten_name(users[0]) in _CLAMPS:
        users = _callers(users[0])
    if users and all(aten_name(user) == _STEPS[0] for user in users):
        return users[0]
    return node


def _callers(node: Node) -> list[Node]:
    return [user for user in node.users if user.op == "call_function"]
