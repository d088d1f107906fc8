"""What a predictor is told of single ops, and what a profile says they took."""

import numpy as np
import pytest

from runtime.bundle.workload import OP_KINDS, Op, Workload
from runtime.choose.fitting.op_features import OP_FEATURE_NAMES, op_features, op_times_ms
from runtime.measure.profiling.profile import OpTime, Profile

CONV = Op("stem", "conv2d", 9 * 3 * 20 * 64, 1000, 4 * 20 * 64, channels_out=20, channels_in=3, window=9)
OLD = Op("act", "elementwise", 640, 2560, 2560)
WORKLOAD = Workload((CONV, OLD))


def named(row):
    return dict(zip(OP_FEATURE_NAMES, row, strict=True))


def test_shapes_are_told_where_they_are_known():
    conv, old = map(named, op_features(WORKLOAD))
    assert OP_KINDS[int(conv["kind"])] == "conv2d"
    assert np.expm1(conv["log_positions"]) == pytest.approx(64)
    assert np.expm1(conv["log_reduction"]) == pytest.approx(27)
    assert (conv["padding_16"], conv["padding_32"]) == (32 / 20, 32 / 20)
    assert np.expm1(old["log_positions"]) == pytest.approx(640)
    assert (old["log_window"], old["padding_16"]) == (0, 1)


def test_a_linear_layer_is_told_the_weights_of_its_frame():
    linear = Op("fc", "linear", 20 * 10, 880, 40, channels_out=10, channels_in=20, window=1)
    conv, _, fc = map(named, op_features(Workload((*WORKLOAD.ops, linear))))
    assert np.expm1(fc["log_frame_weights"]) == pytest.approx(20 * 27 + 200)
    assert conv["log_frame_weights"] == 0


def test_an_empty_workload_has_no_rows():
    assert op_features(Workload(())).shape == (0, len(OP_FEATURE_NAMES))


def op_time(place, mean_ms):
    return OpTime("Conv", "conv2d", None, 0, mean_ms, mean_ms, 0.5, "XNNPACK profiler", 1, 1, 0.0, 1.0, place)


def test_times_go_to_their_op_and_what_was_fused_takes_none():
    ops = (op_time(0, 0.5), op_time(None, 3.0), op_time(0, 0.25))
    profile = Profile("litert-fp32", "litert", "LiteRT", 1, 10, 4.0, 4.0, ops, 4.0)
    assert op_times_ms(profile, WORKLOAD).tolist() == [0.75, 0.0]
