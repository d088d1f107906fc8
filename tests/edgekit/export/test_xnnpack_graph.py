"""Each rewrite of an XNNPACK graph on a graph made by hand, and all of them on a real export."""

import pytest
import torch
from executorch.backends.xnnpack import xnnpack_preprocess
from executorch.backends.xnnpack.serialization import xnnpack_graph_schema as schema
from torch import nn

from edgekit.export.executorch import export_executorch
from edgekit.export.lower import lower
from edgekit.export.xnnpack_graph import NO_VALUE, TRANSPOSE_WEIGHTS, kind, shorten
from edgekit.nn import DynamicConv2d, DynamicReLU

TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]
FIRST, LAST = [1, 8, 4, 4], [1, 4, 4, 8]


def graph(nodes, dims, results, inputs=(0,)):
    """Return an XNNGraph of ``nodes``; value i has shape ``dims[i]``."""
    float32 = schema.XNNDatatype.xnn_datatype_fp32
    values = [
        schema.XValue(schema.XNNTensorValue(float32, len(shape), list(shape), 0, NO_VALUE, 0, i))
        for i, shape in enumerate(dims)
    ]
    made = [
        node if isinstance(node, schema.XNode) else schema.XNode(node, debug_handle=i)
        for i, node in enumerate(nodes)
    ]
    return schema.XNNGraph("0", made, values, 2, list(inputs), list(results), [])


def transpose(perm, source, result):
    return schema.XNNStaticTranspose(4, list(perm), source, result, 0)


def reshape(shape, source, result):
    return schema.XNNStaticReshape(len(shape), list(shape), source, result, 0)


def clamp(source, result, low=0, high=6):
    node = schema.XNNClamp(source, result, 0)
    return schema.XNode(node, debug_handle=9, output_min_max=schema.OutputMinMax(low, high))


def kinds(g):
    return [kind(node).removeprefix("XNN") for node in g.xnodes]


def union(g, i):
    return g.xnodes[i].xnode_union


def test_transposes_that_cancel_go():
    g = graph(
        [transpose(TO_FIRST, 0, 1), transpose(TO_LAST, 1, 2), schema.XNNTanh(2, 3, 0)],
        [LAST, FIRST, LAST, LAST],
        [3],
    )
    shorten(g)
    assert kinds(g) == ["Tanh"]
    assert union(g, 0).input_id == 0


def test_a_transpose_that_others_read_stays():
    g = graph(
        [transpose(TO_FIRST, 0, 1), transpose(TO_LAST, 1, 2), schema.XNNTanh(2, 3, 0)],
        [LAST, FIRST, LAST, LAST],
        [1, 3],
    )
    shorten(g)
    assert kinds(g) == ["StaticTranspose", "Tanh"]


def test_a_transpose_that_moves_nothing_is_a_reshape():
    g = graph([transpose(TO_FIRST, 0, 1)], [[1, 1, 1, 8], [1, 8, 1, 1]], [1])
    shorten(g)
    assert kinds(g) == ["StaticReshape"]
    assert union(g, 0).new_shape == [1, 8, 1, 1]


def test_a_clamp_between_transposes_is_done_on_the_other_layout():
    nodes = [transpose(TO_FIRST, 0, 1), clamp(1, 2), transpose(TO_LAST, 2, 3), schema.XNNTanh(3, 4, 0)]
    g = graph(nodes, [LAST, FIRST, FIRST, LAST, LAST], [4])
    shorten(g)
    assert kinds(g) == ["Clamp", "Tanh"]


def test_a_sum_of_two_transposed_maps_is_done_on_the_other_layout():
    nodes = [
        transpose(TO_FIRST, 0, 2), transpose(TO_FIRST, 1, 3), schema.XNNAdd(2, 3, 4, 0),
        transpose(TO_LAST, 4, 5), schema.XNNTanh(5, 6, 0),
    ]  # fmt: skip
    g = graph(nodes, [LAST, LAST, FIRST, FIRST, FIRST, LAST, LAST], [6], inputs=(0, 1))
    shorten(g)
    assert kinds(g) == ["Add", "Tanh"]
    assert (union(g, 0).input1_id, union(g, 0).input2_id) == (0, 1)


def test_a_sum_with_a_smaller_tensor_keeps_its_layout():
    nodes = [transpose(TO_FIRST, 0, 2), transpose(TO_FIRST, 1, 3), schema.XNNAdd(2, 3, 4, 0)]
    g = graph(nodes, [LAST, [1, 2, 1, 8], FIRST, [1, 8, 2, 1], FIRST], [4], inputs=(0, 1))
    shorten(g)
    assert kinds(g) == ["StaticTranspose", "StaticTranspose", "Add"]


def product(*after, results, dims):
    """Return map (1, 4, 4, 8), product with a weight (8, 16) that is computed, and ``after``."""
    nodes = [
        reshape([1, 8, 16], 1, 2), reshape([1, 16, 8], 0, 3), schema.XNNBatchMatrixMultiply(3, 2, 4, 0),
        reshape([1, 4, 4, 16], 4, 5), *after,
    ]  # fmt: skip
    shapes = [LAST, [1, 128], [1, 8, 16], [1, 16, 8], [1, 16, 16], [1, 4, 4, 16], *dims]
    return graph(nodes, shapes, results, inputs=(0, 1))


def test_a_product_with_a_computed_weight_becomes_a_fully_connected_layer():
    g = product(results=[5], dims=[])
    shorten(g)
    assert kinds(g) == ["StaticReshape", "FullyConnected"]
    layer = union(g, 1)
    assert (layer.input1_id, layer.filter_id, layer.output_id) == (0, 2, 5)
    assert (layer.flags, layer.bias_id) == (TRANSPOSE_WEIGHTS, NO_VALUE)
    assert union(g, 0).new_shape == [8, 16]


def test_bias_and_clamp_go_into_the_layer():
    out = [1, 4, 4, 16]
    g = product(schema.XNNAdd(5, 6, 7, 0), clamp(7, 8), results=[8], dims=[[16], out, out])
    shorten(g)
    assert kinds(g) == ["StaticReshape", "FullyConnected"]
    assert (union(g, 1).bias_id, union(g, 1).output_id) == (6, 8)
    assert (g.xnodes[1].output_min_max.output_min, g.xnodes[1].output_min_max.output_max) == (0, 6)


def test_a_computed_bias_is_there_before_the_layer():
    out = [1, 4, 4, 16]
    g = product(schema.XNNTanh(6, 7, 0), schema.XNNAdd(5, 7, 8, 0), results=[8], dims=[[16], [16], out])
    shorten(g)
    assert kinds(g) == ["StaticReshape", "Tanh", "FullyConnected"]


def test_a_sum_with_a_whole_map_is_no_bias():
    out = [1, 4, 4, 16]
    g = product(schema.XNNAdd(5, 6, 7, 0), results=[7], dims=[out, out])
    shorten(g)
    assert kinds(g) == ["StaticReshape", "FullyConnected", "Add"]


def test_a_flattened_map_that_is_read_elsewhere_is_kept():
    g = product(schema.XNNTanh(3, 6, 0), results=[5, 6], dims=[[1, 16, 8]])
    shorten(g)
    assert sorted(kinds(g)) == ["FullyConnected", "StaticReshape", "StaticReshape", "Tanh"]


def test_a_product_with_several_matrices_stays_one():
    nodes = [
        reshape([2, 5, 8], 0, 2), reshape([2, 8, 3], 1, 3), schema.XNNBatchMatrixMultiply(2, 3, 4, 0),
        reshape([1, 2, 5, 3], 4, 5),
    ]  # fmt: skip
    dims = [[1, 2, 5, 8], [1, 2, 8, 3], [2, 5, 8], [2, 8, 3], [2, 5, 3], [1, 2, 5, 3]]
    g = graph(nodes, dims, [5], inputs=(0, 1))
    shorten(g)
    assert kinds(g) == ["StaticReshape", "StaticReshape", "BatchMatrixMultiply", "StaticReshape"]


@pytest.fixture(scope="module")
def serialised():
    """The graphs of a net with a residual of dynamic convolutions, as they go into the file."""
    graphs = []
    serialize = xnnpack_preprocess.serialize_xnnpack_binary

    def record(graph, constants):
        graphs.append(graph)
        return serialize(graph, constants)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), DynamicReLU(8))
            self.b = nn.Sequential(DynamicConv2d(8, 8, 1), nn.BatchNorm2d(8), nn.ReLU6())
            self.c = nn.Conv2d(8, 4, 3)

        def forward(self, x):
            x = self.a(x)
            return self.c(x + self.b(x))

    patch = pytest.MonkeyPatch()
    patch.setattr(xnnpack_preprocess, "serialize_xnnpack_binary", record)
    try:
        export_executorch(lower(Residual().eval()), (torch.rand(1, 3, 8, 8),))
    finally:
        patch.undo()
    return graphs


def test_a_real_net_moves_its_map_only_at_both_ends(serialised):
    (g,) = serialised
    assert kinds(g).count("StaticTranspose") == 2
    assert "BatchMatrixMultiply" not in kinds(g)
    assert "Clamp" not in kinds(g)
    maps = [node for node in g.xnodes if kind(node) == "XNNStaticReshape"]
    assert all(len(node.xnode_union.new_shape) != 3 for node in maps)
