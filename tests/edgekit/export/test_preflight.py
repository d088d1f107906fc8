"""What cannot be exported is refused before any exporter runs, by a message that names the cause."""

import pytest
import torch
from torch import nn

from edgekit.export.preflight import check_model
from runtime.errors import ExportError

X = torch.ones(1, 3, 4, 4)


class Returns(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def test_a_sound_model_gives_its_output():
    assert check_model(nn.Conv2d(3, 2, 1).eval(), X).shape == (1, 2, 4, 4)


def test_a_nan_weight_is_named():
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    with torch.no_grad():
        model[0].weight[1, 0] = float("nan")
    with pytest.raises(ExportError, match=r"0\.weight has 1 of 6 values that are not finite"):
        check_model(model, X)


def test_half_precision_is_refused():
    with pytest.raises(ExportError, match=r"weight is torch\.float16"):
        check_model(nn.Conv2d(3, 2, 1).half(), X)


def test_a_wrong_input_shape_is_named():
    with pytest.raises(ExportError, match=r"does not take an input of shape \(1, 3, 4, 4\)"):
        check_model(nn.Conv2d(1, 2, 1), X)


def test_a_dict_is_refused_with_its_keys():
    with pytest.raises(ExportError, match="returns a dict with logits, aux"):
        check_model(Returns(lambda x: {"logits": x, "aux": x}), X)


def test_a_tuple_is_refused():
    with pytest.raises(ExportError, match="returns tuple"):
        check_model(Returns(lambda x: (x, x)), X)


def test_random_numbers_are_found():
    with pytest.raises(ExportError, match="other outputs for the same input"):
        check_model(Returns(lambda x: nn.functional.dropout(x, 0.5, training=True)), torch.ones(1, 3, 16, 16))


def test_outputs_that_are_not_finite_are_refused():
    with pytest.raises(ExportError, match="nan or inf on a real input"):
        check_model(Returns(lambda x: x / 0), X)
