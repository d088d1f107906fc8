"""Spellings of a model that the exporters stumble over."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from edgekit.export import live_model
from edgekit.export.parity import compare
from edgekit.export.preflight import prepare
from runtime.errors import ExportError, ParityError
from tests.edgekit.export.compared import compared


def check(model, engine):
    """Assert that ``model`` is wholly delegated and right; return the names of its outputs."""
    delegation, parity = compared(model, torch.randn(1, 3, 6, 7), engine)
    assert delegation.fallback == ()
    assert all(output.max_abs < 1e-6 for output in parity.outputs)
    return [output.name for output in parity.outputs]


class Picture(nn.Module):
    """Two clamps to [0, 1], and weights that are channels last, as training leaves them."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.last, self.clamp = nn.Conv2d(8, 3, 1), nn.Hardtanh(0, 1)

    def forward(self, x):
        y = self.last(self.first(x).relu())
        return y.clamp(0, 1), self.clamp(2 * y), y.clamp(-1, 1)


@pytest.mark.parametrize("engine", ["executorch", "litert"])
def test_channels_last_weights_and_a_clamp_to_one(engine):
    check(Picture().to(memory_format=torch.channels_last), engine)


@dataclass
class Found:
    """Not in the order of the alphabet, and with something left out."""

    out: torch.Tensor
    rest: dict[str, torch.Tensor]
    loss: torch.Tensor | None = None


class Dicts(Picture):
    def forward(self, x):
        y = self.first(x)
        return {"wide": y, "found": Found(self.last(y), {"b": -y, "a": y + 1})}


@pytest.mark.parametrize("engine", ["executorch", "litert"])
def test_dicts_and_dataclasses_keep_their_names_and_order(engine):
    assert check(Dicts(), engine) == ["wide", "out", "b", "a"]


class Given(Picture):
    def forward(self, x):
        y = self.first(x)
        return y, y, self.last.bias, x


@pytest.mark.parametrize("engine", ["executorch", "litert"])
def test_a_weight_an_input_and_one_tensor_twice_are_outputs(engine):
    assert len(check(Given(), engine)) == 4


def test_an_op_that_nothing_can_run_is_no_fallback():
    class Clip(nn.Module):
        def forward(self, x):
            return nn.functional.avg_pool3d(x, 2)

    with pytest.raises(
        ExportError, match=r"aten.avg_pool3d.default has no kernel in ExecuTorch, and XNNPACK"
    ):
        compared(Clip(), torch.randn(1, 3, 4, 6, 6), "executorch")


def test_an_op_that_makes_an_output_is_the_models_own():
    class Best(Picture):
        def forward(self, x):
            return self.first(x).argmax(1)

    delegation, _ = compared(Best(), torch.randn(1, 3, 6, 7), "litert")
    assert [(op.op, op.module_path) for op in delegation.fallback] == [("ARG_MAX", "(model)")]


def test_infinities_on_both_sides_are_equal():
    scores = np.array([[1.0, -np.inf, 2.0]])
    found = compare("net", "scores", scores + 0.5, scores, tolerance=1.0)
    assert (found.max_abs, found.tolerance, found.top1_agreement) == (0.5, 2.0, 1.0)
    with pytest.raises(ParityError, match="not finite"):
        compare("net", "scores", np.array([[-np.inf, -np.inf, 2.0]]), scores, tolerance=1.0)


class Masked(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.register_buffer("is_ruled_out", torch.tensor(mask))

    def forward(self, x):
        return x.masked_fill(self.is_ruled_out, -torch.inf)


def test_ruled_out_classes_pass_the_checks_before_the_export():
    (source,) = live_model(Masked([True, False, False]).eval(), torch.ones(1, 3), "net").graphs.values()
    assert np.isneginf(prepare(source).expected[0][0]).tolist() == [[True, False, False]]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.complex64, torch.float16])
def test_types_that_no_file_takes_are_refused_in_one_line(dtype):
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(ValueError, match=rf"input 0 is {name}; allowed: float32"):
        live_model(nn.Linear(4, 2).to(dtype), torch.ones(1, 4, dtype=dtype), "net")
