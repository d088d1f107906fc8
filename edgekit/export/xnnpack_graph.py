"""Shorten the graph that ExecuTorch hands to XNNPACK: fewer copies, fewer passes over a map.

ExecuTorch moves a map from channels-last to channels-first and back around every reshape, permute
and matrix product. On the finished XNNPACK graph these moves can be seen and taken out, and a
product with run-time weights can become what XNNPACK has a kernel for: a fully connected layer on
the channels-last map, bias and clamp included. The ``.pte`` runs on the stock runtime.

Graph: executorch/backends/xnnpack/serialization/xnnpack_graph_schema.py (1.5.1).
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Iterator
from typing import Any

from runtime.extras import require

TRANSPOSE_WEIGHTS = 1  # XNN_FLAG_TRANSPOSE_WEIGHTS of xnnpack.h: the filter is (inputs, outputs)
NO_VALUE = 0xFFFFFFFF  # XNN_INVALID_VALUE_ID
# Each element by itself: the order in which elements lie does not matter.
_POINTWISE = (
    "XNNClamp", "XNNSigmoid", "XNNTanh", "XNNHardswish", "XNNNegate", "XNNAbs", "XNNSquare", "XNNExp",
    "XNNFloor", "XNNCeiling", "XNNGelu", "XNNELU", "XNNLeakyReLU", "XNNSquareRoot", "XNNLog",
)  # fmt: skip
_BINARY = ("XNNAdd", "XNNSubtract", "XNNMultiply", "XNNDiv", "XNNMaximum", "XNNMinimum")


@contextlib.contextmanager
def shortened_graphs() -> Iterator[None]:
    """Let every XNNPACK graph that is serialised inside this block pass through ``shorten``."""
    preprocess = require("executorch.backends.xnnpack.xnnpack_preprocess", extra="executorch")
    serialize = preprocess.serialize_xnnpack_binary

    def shortened(graph: Any, constants: bytearray) -> bytes:
        shorten(graph)
        return bytes(serialize(graph, constants))

    preprocess.serialize_xnnpack_binary = shortened
    try:
        yield
    finally:
        preprocess.serialize_xnnpack_binary = serialize


def shorten(graph: Any) -> None:
    """Apply every rewrite to ``graph``, an ``XNNGraph``, in place, until none applies."""
    editor = GraphEditor(graph)
    rewrites = (merge_transposes, merge_reshapes, sink_transpose, use_fully_connected, fuse_bias, fuse_clamp)
    while any(rewrite(editor, node) for node in graph.xnodes for rewrite in rewrites):
        editor.clean()


class GraphEditor:
    """One graph, with its values' shapes and who makes and reads them."""

    def __init__(self, graph: Any):
        self.graph = graph
        self.schema = require(
            "executorch.backends.xnnpack.serialization.xnnpack_graph_schema", extra="executorch"
        )
        self.values = {_tensor(value).id_out: value for value in graph.xvalues}
        self.dims = {id_out: list(_tensor(value).dims) for id_out, value in self.values.items()}
        self.clean()

    def clean(self) -> None:
        """Drop nodes that nobody reads, and look again at who makes and reads each value."""
        nodes = self.graph.xnodes
        while True:
            read = {value for node in nodes for value in inputs_of(node)} | set(self.graph.output_ids)
            kept = [node for node in nodes if read.intersection(outputs_of(node))]
            if len(kept) == len(nodes):
                break
            nodes[:] = kept
        self.maker = {value: node for node in nodes for value in outputs_of(node)}
        self.readers: dict[int, list[Any]] = {}
        for node in nodes:
            for value in inputs_of(node):
                self.readers.setdefault(value, []).append(node)

    def made_by(self, value: int, *kinds: str) -> Any | None:
        """Return the node that makes ``value``, if it is of one of ``kinds``."""
        node = self.maker.get(value)
        return node if node is not None and kind(node) in kinds else None

    def is_private(self, value: int) -> bool:
        """Return whether one node reads ``value`` and nobody outside the graph does."""
        return len(self.readers.get(value, ())) == 1 and value not in self.graph.output_ids

    def is_float(self, value: int) -> bool:
        """Return whether ``value`` is not quantised."""
        return not hasattr(self.values[value].xvalue_union, "tensor_value")

    def resize(self, value: int, dims: list[int]) -> None:
        """Give ``value`` another shape."""
        tensor = _tensor(self.values[value])
        tensor.dims, tensor.num_dims = list(dims), len(dims)
        self.dims[value] = list(dims)

    def new_value(self, like: int, dims: list[int]) -> int:
        """Return the id of a new value inside the graph, of the type of ``like`` and shape ``dims``."""
        made = copy.deepcopy(self.values[like])
        tensor = _tensor(made)
        tensor.id_out = max(self.values) + 1
        tensor.external_id, tensor.flags = NO_VALUE, 0
        self.graph.xvalues.append(made)
        self.values[tensor.id_out] = made
        self.resize(tensor.id_out, dims)
        return int(tensor.id_out)

    def replace(self, old: int, new: int) -> None:
        """Let whoever reads ``old`` read ``new``."""
        for node in self.readers.get(old, ()):
            for name in _input_names(node):
                if getattr(node.xnode_union, name) == old:
                    setattr(node.xnode_union, name, new)


def merge_transposes(editor: GraphEditor, node: Any) -> bool:
    """Join a transpose with the one before it; two that cancel go. One that moves nothing is a reshape."""
    if kind(node) != "XNNStaticTranspose":
        return False
    union = node.xnode_union
    before, after = editor.dims[union.input_id], editor.dims[union.output_id]
    if [axis for axis in union.perm if before[axis] > 1] == [axis for axis, n in enumerate(before) if n > 1]:
        node.xnode_union = editor.schema.XNNStaticReshape(
            len(after), list(after), union.input_id, union.output_id, 0
        )
        return True
    first = editor.made_by(union.input_id, "XNNStaticTranspose")
    if first is None:
        return False
    perm = [first.xnode_union.perm[axis] for axis in union.perm]
    union.perm, union.input_id = perm, first.xnode_union.input_id
    return True


def merge_reshapes(editor: GraphEditor, node: Any) -> bool:
    """Join a reshape with the one before it; one that changes nothing goes."""
    if kind(node) != "XNNStaticReshape":
        return False
    union = node.xnode_union
    first = editor.made_by(union.input_id, "XNNStaticReshape")
    if first is not None:
        union.input_id = first.xnode_union.input_id
        return True
    result = union.output_id
    if editor.dims[union.input_id] != editor.dims[result] or result in editor.graph.output_ids:
        return False
    if not editor.readers.get(result):
        return False
    editor.replace(union.output_id, union.input_id)
    return True


def sink_transpose(editor: GraphEditor, node: Any) -> bool:
    """Move the transposes before an element-wise op behind it, towards one that cancels them."""
    if kind(node) not in _POINTWISE + _BINARY:
        return False
    union, names = node.xnode_union, _input_names(node)
    before = [editor.made_by(value, "XNNStaticTranspose") for value in inputs_of(node)]
    if None in before or not all(editor.is_private(value) for value in inputs_of(node)):
        return False
    moved = [transpose.xnode_union for transpose in before]
    sources = [editor.dims[m.input_id] for m in moved]
    if any(m.perm != moved[0].perm for m in moved) or any(dims != sources[0] for dims in sources):
        return False
    for name, m in zip(names, moved, strict=True):
        setattr(union, name, m.input_id)
    end = union.output_id
    union.output_id = editor.new_value(end, sources[0])
    after = editor.schema.XNNStaticTranspose(
        num_dims=len(moved[0].perm),
        perm=list(moved[0].perm),
        input_id=union.output_id,
        output_id=end,
        flags=0,
    )
    position = editor.graph.xnodes.index(node) + 1
    editor.graph.xnodes.insert(position, editor.schema.XNode(after, node.debug_handle))
    return True


def use_fully_connected(editor: GraphEditor, node: Any) -> bool:
    """Make flatten, product with a run-time matrix, unflatten one layer on the channels-last map."""
    if kind(node) != "XNNBatchMatrixMultiply" or node.xnode_union.flags:
        return False
    union = node.xnode_union
    flatten = editor.made_by(union.input1_id, "XNNStaticReshape")
    weight = editor.made_by(union.input2_id, "XNNStaticReshape")
    if flatten is None or weight is None:
        return False
    if not editor.is_private(union.input2_id) or not editor.is_private(union.output_id):
        return False
    unflatten = editor.readers[union.output_id][0]
    *matrices, channels, outputs = editor.dims[union.input2_id]
    if math.prod(matrices) != 1:  # of attention: each head has its own
        return False
    before = editor.dims[flatten.xnode_union.input_id]
    after = editor.dims[unflatten.xnode_union.output_id]
    if kind(unflatten) != "XNNStaticReshape" or before[-1] != channels or after != [*before[:-1], outputs]:
        return False
    weight.xnode_union.new_shape, weight.xnode_union.num_dims = [channels, outputs], 2
    editor.resize(union.input2_id, [channels, outputs])
    node.xnode_union = editor.schema.XNNFullyConnected(
        input1_id=flatten.xnode_union.input_id,
        filter_id=union.input2_id,
        bias_id=NO_VALUE,
        output_id=unflatten.xnode_union.output_id,
        flags=TRANSPOSE_WEIGHTS,
    )
    editor.graph.xnodes.remove(unflatten)
    return True


def fuse_bias(editor: GraphEditor, node: Any) -> bool:
    """Give a sum with one number per channel to the fully connected layer before it."""
    if kind(node) != "XNNAdd" or node.output_min_max is not None:
        return False
    union = node.xnode_union
    for value, bias in ((union.input1_id, union.input2_id), (union.input2_id, union.input1_id)):
        layer = editor.made_by(value, "XNNFullyConnected")
        if layer is None or not editor.is_private(value) or editor.dims[bias] != editor.dims[value][-1:]:
            continue
        # With a constant filter XNNPACK packs the bias when it loads the file, so it must be constant too.
        if layer.xnode_union.filter_id not in editor.maker or layer.output_min_max is not None:
            continue
        if layer.xnode_union.bias_id == NO_VALUE:
            layer.xnode_union.bias_id, layer.xnode_union.output_id = bias, union.output_id
            nodes = editor.graph.xnodes
            nodes.remove(layer)
            nodes[nodes.index(node)] = layer  # here the bias, if it is computed, is there
            return True
    return False


def fuse_clamp(editor: GraphEditor, node: Any) -> bool:
    """Give a clamp to the layer before it, whose kernel clamps on the way out."""
    if kind(node) != "XNNClamp":
        return False
    union = node.xnode_union
    layer = editor.made_by(union.input_id, "XNNFullyConnected", "XNNConv2d", "XNNDepthwiseConv2d")
    if layer is None or layer.output_min_max is not None or not editor.is_private(union.input_id):
        return False
    if not editor.is_float(union.output_id):
        return False
    layer.output_min_max = node.output_min_max
    layer.xnode_union.output_id = union.output_id
    editor.graph.xnodes.remove(node)
    return True


def kind(node: Any) -> str:
    """Return the name of what ``node`` does."""
    return type(node.xnode_union).__name__


def inputs_of(node: Any) -> list[int]:
    """Return the values that ``node`` reads."""
    ids = [getattr(node.xnode_union, name) for name in _input_names(node)]
    return [value for value in ids if value != NO_VALUE]


def outputs_of(node: Any) -> list[int]:
    """Return the values that ``node`` makes."""
    return [value for name, value in vars(node.xnode_union).items() if _is_output(name)]


def _input_names(node: Any) -> list[str]:
    return [name for name in vars(node.xnode_union) if name.endswith("_id") and not _is_output(name)]


def _is_output(name: str) -> bool:
    return name.startswith("output_") and name.endswith("_id")


def _tensor(value: Any) -> Any:
    return getattr(value.xvalue_union, "tensor_value", value.xvalue_union)
