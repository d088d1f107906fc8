import pytest
import torch
from torch import nn

from edgekit.export import lower
from edgekit.export.executorch import trace
from edgekit.export.quantize.plan import find_heads, float_modules, modules_beside
from edgekit.models.layers import SqueezeExcite
from edgekit.nn import DynamicConv2d, DynamicReLU
from tests.edgekit.export.quantize import nets


class TwoHeads(nn.Module):
    """Shares a convolution; one head is normalised."""

    def __init__(self):
        super().__init__()
        self.body, self.pool = nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1)
        self.left, self.right, self.norm = nn.Linear(8, 2), nn.Linear(8, 3), nn.Softmax(dim=-1)

    def forward(self, x):
        x = self.pool(torch.relu(self.body(x))).flatten(1)
        return self.left(x), self.norm(self.right(x))


def test_dynamic_blocks_and_gates_stay_float_and_nothing_else():
    blocks = [nn.Conv2d(8, 8, 1), DynamicConv2d(8, 8, 1), DynamicReLU(8), SqueezeExcite(8, 8), nn.ReLU()]
    assert float_modules(lower(nn.Sequential(*blocks))) == ("1", "2", "3")


def test_what_the_user_names_stays_float_but_not_twice():
    model = lower(nn.Sequential(nn.Sequential(nn.Conv2d(3, 8, 1), SqueezeExcite(8, 8)), nn.ReLU()))
    assert float_modules(model, ["0"]) == ("0",)
    with pytest.raises(ValueError, match="no module '7'"):
        float_modules(model, ["7"])


def test_heads_are_the_last_layers_and_what_is_beside_them_stays_float():
    program = trace(TwoHeads().eval(), (torch.randn(1, 3, nets.SIDE, nets.SIDE),))
    heads = find_heads(program)
    assert set(heads) == {"left", "right"}
    assert set(modules_beside(program, heads)) == {"pool", "norm"}
