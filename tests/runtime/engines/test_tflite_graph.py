"""Cost of ops read from .tflite files that are built here by hand, so that every figure is known."""

import numpy as np
import pytest

from runtime.bundle import TensorSpec
from runtime.engines.tflite_graph import read_tflite, read_tflite_workload
from runtime.engines.tflite_names import module_path
from runtime.errors import BundleError
from tests.runtime.tflite_builder import schema, write_tflite

STEM = "net.Net/torch.nn.modules.container.Sequential_stem"


@pytest.fixture
def net(tmp_path):
    pool = schema.Pool2DOptionsT()
    pool.filterHeight, pool.filterWidth, pool.strideH, pool.strideW = 4, 4, 4, 4
    return write_tflite(
        tmp_path / "net.tflite",
        tensors=[
            ("image", (1, 8, 8, 3), None),  # 0
            ("w0", (16, 3, 3, 3), np.zeros(432)),  # 1
            (f"{STEM}/torch.nn.modules.activation.ReLU6_act;;{STEM}/torch.nn.modules.conv.Conv2d_conv;1",
             (1, 4, 4, 16), None),  # 2
            ("w1", (1, 3, 3, 16), np.zeros(144)),  # 3
            ("net.Net/torch.nn.modules.conv.Conv2d_conv_dw;", (1, 4, 4, 16), None),  # 4
            ("net.Net;", (1, 4, 4, 16), None),  # 5
            ("pooled", (1, 1, 1, 16), None),  # 6
            ("net.Net/torch.nn.modules.linear.Linear_fc;", (10, 16), np.zeros(160)),  # 7
            ("scores", (1, 10), None),  # 8
        ],
        operators=[
            ("CONV_2D", [0, 1, -1], [2], None),
            ("DEPTHWISE_CONV_2D", [2, 3], [4], None),
            ("ADD", [2, 4], [5], None),
            ("AVERAGE_POOL_2D", [5], [6], pool),
            ("FULLY_CONNECTED", [6, 7], [8], None),
        ],
        inputs=[0],
        outputs=[8],
    )  # fmt: skip


def test_costs_of_a_net_by_hand(net):
    ops = read_tflite_workload(net).ops
    assert [(op.kind, op.macs) for op in ops] == [
        ("conv2d", 4 * 4 * 16 * 3 * 3 * 3),
        ("depthwise_conv2d", 4 * 4 * 16 * 3 * 3),
        ("elementwise", 256),
        ("pool", 16 * 16),
        ("linear", 160),
    ]
    assert (ops[0].bytes_read, ops[0].bytes_written) == (4 * (192 + 432), 4 * 256)
    assert (ops[2].bytes_read, ops[2].bytes_written) == (4 * 512, 4 * 256)


def test_ops_are_named_by_module_and_fall_back_to_the_weight_then_the_tensor(net):
    names = [op.name for op in read_tflite_workload(net).ops]
    assert names == ["stem.conv", "conv_dw", "(model)", "pooled", "fc"]


def test_inputs_outputs_and_counts(net):
    graph = read_tflite(net)
    assert graph.inputs == (TensorSpec("image", "float32", (1, 8, 8, 3)),)
    assert graph.outputs == (TensorSpec("scores", "float32", (1, 10)),)
    assert graph.op_counts["CONV_2D"] == 1
    assert graph.parameters == 432 + 144 + 160
    assert graph.size_bytes == net.stat().st_size


def test_a_product_of_two_maps_counts_its_inner_side_and_is_no_linear_layer(tmp_path):
    adjoint = schema.BatchMatMulOptionsT()
    adjoint.adjX = True
    path = write_tflite(
        tmp_path / "mm.tflite",
        tensors=[("a", (1, 5, 3), None), ("b", (1, 5, 7), None), ("c", (1, 3, 7), None),
                 ("x", (1, 5), None), ("w", (7, 5), None), ("y", (1, 7), None)],
        operators=[("BATCH_MATMUL", [0, 1], [2], adjoint), ("FULLY_CONNECTED", [3, 4], [5], None)],
        inputs=[0, 1, 3, 4], outputs=[2, 5],
    )  # fmt: skip
    assert [(op.kind, op.macs) for op in read_tflite_workload(path).ops] == [("matmul", 105), ("matmul", 35)]


def test_an_op_on_constants_runs_at_load_time_and_costs_a_frame_nothing(tmp_path):
    path = write_tflite(
        tmp_path / "fp16.tflite",
        tensors=[("half", (4,), np.zeros(4)), ("full", (4,), None), ("x", (4,), None), ("y", (4,), None)],
        operators=[("DEQUANTIZE", [0], [1], None), ("MUL", [2, 1], [3], None)],
        inputs=[2], outputs=[3],
    )  # fmt: skip
    graph = read_tflite(path)
    assert [op.kind for op in graph.workload.ops] == ["elementwise"]
    assert graph.op_counts == {"DEQUANTIZE": 1, "MUL": 1}


def test_a_custom_op_keeps_its_own_name_and_counts_as_other(tmp_path):
    path = write_tflite(
        tmp_path / "custom.tflite",
        tensors=[("x", (4,), None), ("y", (4,), None)],
        operators=[("TransformLandmarks", [0], [1], None)],
        inputs=[0], outputs=[1],
    )  # fmt: skip
    graph = read_tflite(path)
    assert graph.op_counts == {"TransformLandmarks": 1}
    assert graph.workload.ops[0].kind == "other"


@pytest.mark.parametrize(
    ("name", "weighted", "expected"),
    [
        ("net.Net/net.Block_3/torch.nn.modules.conv.Conv2d_dw;1", True, "3.dw"),
        ("net.Net/net.Act_act;;net.Net/torch.nn.modules.conv.Conv2d_c;", False, "act"),
        ("net.Net/net.Act_act;;net.Net/torch.nn.modules.conv.Conv2d_c;", True, "c"),
        ("net.Net;", False, "(model)"),
        ("model_1/model/conv2d_30/Conv2D", True, None),
        ("arith.constant", False, None),
    ],
)
def test_module_path(name, weighted, expected):
    assert module_path(name, weighted) == expected


def test_a_file_that_is_cut_short_is_named_as_damaged(net):
    net.write_bytes(net.read_bytes()[:200])
    with pytest.raises(BundleError, match=r"net\.tflite is damaged"):
        read_tflite(net)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"\x89PNG\r\n\x1a\n" * 4)
    with pytest.raises(BundleError, match="not a LiteRT model"):
        read_tflite(tmp_path / "x.tflite")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BundleError, match="no model file at"):
        read_tflite(tmp_path / "none.tflite")
