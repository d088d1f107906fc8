"""What cannot be exported is refused before any exporter runs, by a message that names the cause."""

from collections import namedtuple

import numpy as np
import pytest
import torch
from torch import nn

from edgekit.export.preflight import prepare
from edgekit.nn import DynamicConv2d
from edgekit.tasks import SourceGraph
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


def test_something_else_inside_a_tuple_is_refused():
    with pytest.raises(ExportError, match="returns int"):
        prepare(source(Returns(lambda x: (x, 3))))


def test_random_numbers_are_found():
    with pytest.raises(ExportError, match=r"in \(model\) .*aten\.dropout draws random numbers"):
        prepare(source(Returns(lambda x: nn.functional.dropout(x, 0.5, training=True)), (1, 3, 16, 16)))


def test_dropout_and_attention_in_evaluation_mode_draw_nothing():
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.5, batch_first=True)
    assert prepare(source(layer, (1, 3, 4))).outputs[0].shape == (1, 3, 4)


def test_outputs_that_are_not_finite_are_refused():
    with pytest.raises(ExportError, match="nan or inf on frame 0 of noise"):
        prepare(source(Returns(lambda x: x / 0)))


class Block(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 3, 1), function

    def forward(self, x):
        return self.function(self.conv(x))


def inside(*functions):
    """Return a net whose block i applies function i, at the module path ``blocks.i``."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList(Block(function) for function in functions)

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return x

    return Net()


def branch(x):
    return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (branch, "branches on the values of a tensor"),
        (lambda x: x * x.mean().item(), r"aten\.item reads a number out of a tensor"),
        (lambda x: x[x > 0], r"aten\.index gives a shape that depends on the data"),
        (lambda x: torch.unique(x), "gives a shape that depends on the data"),
        (lambda x: x + torch.rand_like(x), r"aten\.rand_like draws random numbers"),
        (lambda x: torch.from_numpy(x.detach().numpy() * 2), "torch.export cannot trace it"),
    ],
)
def test_what_cannot_be_traced_is_found_with_its_module_and_line(function, reason):
    with pytest.raises(ExportError, match=rf"in blocks\.1 \(test_preflight\.py:\d+\): .*{reason}") as caught:
        prepare(source(inside(torch.relu, function)))
    assert caught.value.exit_code == 1


def test_everything_is_told_at_once():
    net = inside(torch.lgamma, lambda x: x + torch.rand_like(x))
    with torch.no_grad():
        net.blocks[0].conv.bias[0] = float("inf")
    with pytest.raises(ExportError) as caught:
        prepare(source(net), ["executorch", "litert"])
    told = str(caught.value)
    assert told.startswith("4 things keep the model from being exported")
    for words in (
        "blocks.0.conv.bias has 1 of 3",
        "executorch has no lowering for aten.lgamma",
        "litert has no lowering for aten.lgamma",
        "in blocks.1",
    ):
        assert words in told


def test_parts_that_cannot_be_lowered_are_found_inside_other_ops():
    with pytest.raises(ExportError, match=r"litert has no lowering for aten\._linalg_det.*a part of aten"):
        prepare(source(inside(torch.linalg.det)), ["litert"])


@pytest.mark.parametrize(
    "layer", [nn.InstanceNorm2d(3), nn.Upsample(scale_factor=2, mode="bicubic"), nn.Softplus()], ids=str
)
def test_ops_that_are_taken_apart_are_no_findings(layer):
    prepare(source(layer), ["executorch", "litert"])


def test_a_batch_is_exported_and_told():
    said = []
    ready = prepare(source(nn.Conv2d(3, 2, 1), (2, 3, 4, 4)), on_message=said.append)
    assert ready.outputs[0].shape == (2, 2, 4, 4)
    assert "the first axis of the example, 2, looks like a batch" in said[0]
    assert "x[:1]" in said[0]


def test_dynamic_blocks_take_no_batch():
    with pytest.raises(ExportError, match=r"batch of 2; dynamic blocks such as 0 .*x\[:1\]"):
        prepare(source(nn.Sequential(DynamicConv2d(3, 2, 1)), (2, 3, 4, 4)))


def test_time_is_told_too_but_no_batch_is_forced():
    said = []
    ready = prepare(source(Returns(lambda x: x.cumsum(0)), (5, 1, 3)), on_message=said.append)
    assert (ready.outputs[0].shape, len(said)) == ((5, 1, 3), 1)


def test_branches_random_numbers_and_odd_outputs_of_one_model_are_told_at_once():
    def forward(x):
        x = x + torch.rand_like(x)
        return {"y": x if x.sum() > 0 else -x}

    with pytest.raises(ExportError) as caught:
        prepare(source(inside(torch.relu, lambda x: forward(x)["y"])))
    told = str(caught.value)
    assert told.startswith("2 things")
    assert "rand_like draws random" in told
    assert "branches on the values" in told
    with pytest.raises(ExportError, match=r"(?s)3 things.*returns int.*rand_like.*branches"):
        prepare(source(Returns(lambda x: (forward(x), 3))))


def test_a_first_dimension_that_is_no_batch_is_kept():
    assert prepare(source(Returns(lambda x: x.mean(0)), (5, 3))).outputs[0].shape == (3,)
    assert prepare(source(Returns(lambda x: x.softmax(0)), (5, 3))).outputs[0].shape == (5, 3)


def test_a_buffer_that_forward_changes_is_named():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, x):
            self.seen += 1
            return x + self.seen

    with pytest.raises(ExportError, match=r"changes the buffer seen.*take the state as an input"):
        prepare(source(Counts()))


def test_a_module_that_refuses_evaluation_mode_is_named():
    class Stubborn(nn.Dropout):
        def train(self, mode=True):
            return super().train(True)

    with pytest.raises(ExportError, match="in 1: stays in training mode"):
        prepare(source(nn.Sequential(nn.ReLU(), Stubborn())))


def test_torchscript_is_refused():
    with pytest.raises(ExportError, match="TorchScript"):
        prepare(source(torch.jit.script(nn.Conv2d(3, 2, 1))))
