"""What a predictor is told of single ops."""

import numpy as np
import pytest

from runtime.bundle.workload import Op, Workload
from runtime.choose.fitting.kernels.features import OP_COLUMNS, kernel_kinds, op_features

CONV = Op(
    "stem", "conv2d", 9 * 3 * 20 * 64, 8000, 4 * 20 * 64, channels_out=20, channels_in=3, window=9,
    type="CONV_2D",
)  # fmt: skip
ACT = Op("act", "elementwise", 640, 2560, 2560, type="HARD_SWISH")
WORKLOAD = Workload((CONV, ACT))
KINDS = ["CONV_2D", "FULLY_CONNECTED", "HARD_SWISH"]


def named(row):
    return dict(zip(OP_COLUMNS, row, strict=True))


def test_shapes_are_told_where_they_are_known():
    conv, act = map(named, op_features(WORKLOAD, KINDS))
    assert (conv["kind"], act["kind"]) == (0, 2)
    assert np.expm1(conv["log_positions"]) == pytest.approx(64)
    assert np.expm1(conv["log_reduction"]) == pytest.approx(27)
    assert np.expm1(conv["log_weight_bytes"]) == pytest.approx(4 * 27 * 20)
    assert np.expm1(conv["log_activation_bytes"]) == pytest.approx(8000 - 4 * 27 * 20)
    assert (conv["padding_16"], conv["padding_32"]) == (32 / 20, 32 / 20)
    assert conv["padded_macs"] == pytest.approx(conv["macs"] * 32 / 20)
    assert np.expm1(act["log_positions"]) == pytest.approx(640)
    assert (act["log_window"], act["padding_16"]) == (0, 1)


def test_depthwise_convolutions_are_learnt_window_by_window_and_others_together():
    point = Op("p", "conv2d", 1, 1, 1, 8, 8, 1, type="CONV_2D")
    deep = [
        Op("d", "depthwise_conv2d", 1, 1, 1, 8, 1, window, type="DEPTHWISE_CONV_2D") for window in (9, 25)
    ]
    assert kernel_kinds(Workload((CONV, point, *deep, ACT))) == [
        "CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D 9", "DEPTHWISE_CONV_2D 25", "HARD_SWISH",
    ]  # fmt: skip


def test_padding_that_a_convolution_does_by_itself_is_another_kind_than_one_that_runs():
    pad, pool = Op("p", "copy", 0, 9, 9, type="PAD"), Op("m", "pool", 9, 9, 9, type="MAX_POOL_2D")
    kinds = kernel_kinds(Workload((pad, CONV, pad, pool, pad)))
    assert kinds == ["PAD of convolution", "CONV_2D", "PAD", "MAX_POOL_2D", "PAD"]


def test_an_op_of_an_unknown_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="HARD_SWISH; known are CONV_2D"):
        op_features(WORKLOAD, ["CONV_2D"])


def test_an_empty_workload_has_no_rows():
    assert op_features(Workload(()), KINDS).shape == (0, len(OP_COLUMNS))
