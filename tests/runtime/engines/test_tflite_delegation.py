"""What the delegate leaves, and why: every refusal below is the real delegate's."""

import numpy as np
import pytest

from runtime.engines import EngineProcess
from runtime.engines.tflite_delegation import read_delegation
from runtime.errors import DeviceStableError
from tests.runtime.tflite_builder import schema, write_summing_net, write_tflite

SHAPE = (1, 4, 4, 8)


def options(kind, **values):
    made = getattr(schema, f"{kind}OptionsT")()
    for name, value in values.items():
        setattr(made, name, value)
    return made


CONV = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
WEIGHT = ("w", (8, 1, 1, 8), None)
EYE = ("w", (8, 1, 1, 8), np.eye(8))
BIAS = ("b", (8,), np.zeros(8))
OUT = ("y", SHAPE, None)
REFUSED = {
    "computed weights": (
        [WEIGHT, BIAS, OUT], "CONV_2D", [0, 1, 2], options("Conv2D", **CONV), [0, 1],
        r"its weights \(input 1\) are computed at run time",
    ),
    "fused tanh": (
        [EYE, BIAS, OUT], "CONV_2D", [0, 1, 2], options("Conv2D", fusedActivationFunction=4, **CONV), [0],
        "its fused activation is TANH",
    ),
    "strides": (
        [("b", (4,), [0, 0, 0, 0]), ("e", (4,), [1, 4, 4, 8]), ("s", (4,), [1, 2, 2, 1]),
         ("y", (1, 2, 2, 8), None)],
        "STRIDED_SLICE", [0, 1, 2, 3], options("StridedSlice"), [0],
        r"its strides are \[1, 2, 2, 1\]",
    ),
    "no kernel": ([OUT], "LOG_SOFTMAX", [0], options("LogSoftmax"), [0], "no kernel for LOG_SOFTMAX"),
    "beta": ([OUT], "SOFTMAX", [0], options("Softmax", beta=2.0), [0], "its beta is 2"),
    "six inputs": (
        [("y", (1, 4, 4, 48), None)], "CONCATENATION", [0] * 6, options("Concatenation", axis=3), [0],
        "it has 6 inputs; XNNPACK takes up to 5",
    ),
    "seven dimensions": (
        [("shape", (7,), [1, 1, 1, 1, 4, 4, 8]), ("y", (1, 1, 1, 1, 4, 4, 8), None)],
        "RESHAPE", [0, 1], options("Reshape", newShape=[1, 1, 1, 1, 4, 4, 8]), [0],
        "7 dimensions; XNNPACK takes up to 6",
    ),
    "wide stride": (
        [("y", (1, 2, 2, 8), None)], "MAX_POOL_2D", [0],
        options("Pool2D", strideH=3, strideW=3, filterHeight=2, filterWidth=2), [0],
        "its stride 3x3 exceeds its window 2x2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_the_delegates_refusals_are_explained(tmp_path, case):
    tensors, op, inputs, chosen, graph_inputs, reason = REFUSED[case]
    path = write_tflite(
        tmp_path / "one.tflite",
        tensors=[("x", SHAPE, None), *tensors],
        operators=[(op, inputs, [len(tensors)], chosen)],
        inputs=graph_inputs,
        outputs=[len(tensors)],
    )
    (left,) = read_delegation(path).fallback
    assert left.op == op
    assert reason.replace("\\", "") in left.reason
    assert "derived from the file" in left.reason


def test_ops_are_counted_and_placed(tmp_path):
    path = write_summing_net(tmp_path / "summing.tflite")
    delegation = read_delegation(path)
    assert (delegation.delegated, delegation.total, delegation.partitions) == (2, 3, 2)
    assert [(op.op, op.module_path) for op in delegation.fallback] == [("CUMSUM", "sum")]
    with EngineProcess("litert", path) as model:
        assert model.plan().partitions == ((0,), (2,))


def test_only_litert_has_a_plan(pte):
    with EngineProcess("executorch", pte) as model, pytest.raises(DeviceStableError, match="only LiteRT"):
        model.plan()
