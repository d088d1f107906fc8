import pytest

from runtime.bundle.workload import Op
from runtime.measure.profiling.op_matching import kind_of, match_ops


def op(name, kind):
    return Op(name, kind, 1, 1, 1)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Convolution (NHWC, F32) IGEMM", "conv2d"),
        ("Convolution (NHWC, QC8) DWConv", "depthwise_conv2d"),
        ("Fully Connected (NC, F32) GEMM", "linear"),
        ("Dynamic Fully Connected (NC, F32) GEMM", "matmul"),
        ("Batch Matrix Multiply (NC, F32) GEMM", "matmul"),
        ("Mean (ND) Reduce2", "pool"),
        ("Mean Squared (ND)", "pool"),
        ("Copy (NC, X32)", "copy"),
        ("Copy Sign (ND)", "elementwise"),
        ("Maximum (ND)", "elementwise"),
        ("Max Pooling (NHWC, F32)", "pool"),
        ("Softmax (NC, F32)", "softmax"),
        ("DELEGATE_CALL", "other"),
    ],
)
def test_kind_of_an_xnnpack_op(name, kind):
    assert kind_of(name) == kind


def test_what_the_engine_added_finds_no_partner():
    conv, add, linear = op("conv", "conv2d"), op("add", "elementwise"), op("head", "linear")
    kinds = ["copy", "conv2d", "copy", "elementwise", "linear", "copy"]
    assert match_ops(kinds, [conv, add, linear]) == [None, conv, None, add, linear, None]


def test_what_the_engine_fused_away_is_passed_over():
    first, relu, last = op("first", "conv2d"), op("relu", "elementwise"), op("last", "conv2d")
    assert match_ops(["conv2d", "conv2d"], [first, relu, last]) == [first, last]


def test_a_1x1_convolution_may_run_as_a_linear_layer():
    narrow, head = op("narrow", "conv2d"), op("head", "linear")
    assert match_ops(["linear", "linear"], [narrow, head]) == [narrow, head]


def test_kinds_that_do_not_fit_are_not_paired():
    assert match_ops(["softmax"], [op("conv", "conv2d")]) == [None]
