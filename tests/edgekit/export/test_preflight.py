"""What cannot be exported is refused before any exporter runs, by a message that names the cause."""

from collections import namedtuple

import numpy as np
import pytest
import torch
from torch import nn

from edgekit.export import SourceGraph
from edgekit.export.preflight import prepare
from runtime.bundle import TensorSpec
from runtime.errors import ExportError


def source(model, *shapes):
    rng = np.random.default_rng(0)
    frame = tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes or [(1, 3, 4, 4)])
    specs = tuple(TensorSpec(f"x{i}", "float32", array.shape) for i, array in enumerate(frame))
    return SourceGraph(model, specs, (frame,), "noise")


class Returns(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def test_a_sound_model_gives_its_output():
    ready = prepare(source(nn.Conv2d(3, 2, 1)))
    assert ready.outputs == (TensorSpec("output", "float32", (1, 2, 4, 4)),)
    assert not ready.source.model.training


def test_several_outputs_are_laid_flat_and_named():
    ready = prepare(source(Returns(lambda x, y: (x + 1, [y * 2, x - 1])), (1, 2), (1, 3)))
    assert [(spec.name, spec.shape) for spec in ready.outputs] == [
        ("output0", (1, 2)),
        ("output1", (1, 3)),
        ("output2", (1, 2)),
    ]
    np.testing.assert_array_equal(ready.expected[0][1], ready.source.frames[0][1] * 2)


def test_a_named_tuple_lends_its_names():
    Detection = namedtuple("Detection", "scores boxes")
    ready = prepare(source(Returns(lambda x: Detection(x + 1, x * 2))))
    assert [spec.name for spec in ready.outputs] == ["scores", "boxes"]


def test_a_nan_weight_is_named():
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    with torch.no_grad():
        model[0].weight[1, 0] = float("nan")
    with pytest.raises(ExportError, match=r"0\.weight has 1 of 6 values that are not finite"):
        prepare(source(model))


def test_half_precision_is_refused():
    with pytest.raises(ExportError, match=r"weight is torch\.float16"):
        prepare(source(nn.Conv2d(3, 2, 1).half()))


def test_a_wrong_input_shape_is_named():
    with pytest.raises(ExportError, match=r"does not take an input of shape \(1, 3, 4, 4\)"):
        prepare(source(nn.Conv2d(1, 2, 1)))


def test_a_dict_is_refused_with_its_keys_and_the_way_out():
    with pytest.raises(ExportError, match="returns a dict with logits, aux; return a tensor, or a tuple"):
        prepare(source(Returns(lambda x: {"logits": x, "aux": x})))


def test_something_else_inside_a_tuple_is_refused():
    with pytest.raises(ExportError, match="returns int"):
        prepare(source(Returns(lambda x: (x, 3))))


def test_random_numbers_are_found():
    with pytest.raises(ExportError, match="other outputs for the same input"):
        prepare(source(Returns(lambda x: nn.functional.dropout(x, 0.5, training=True)), (1, 3, 16, 16)))


def test_outputs_that_are_not_finite_are_refused():
    with pytest.raises(ExportError, match="nan or inf on a real input"):
        prepare(source(Returns(lambda x: x / 0)))
