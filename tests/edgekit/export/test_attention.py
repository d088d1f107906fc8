"""Products with a matrix per head, and softmax over any axis of a map, on both engines."""

import pytest
import torch
from torch import nn

from edgekit.export import QuantizeOptions, export_bundle, live_model
from tests.edgekit.export.compared import compared

ENGINES = ["executorch", "litert"]


def check(net, example, engine):
    """Assert that ``net`` is wholly delegated and right."""
    delegation, parity = compared(net, example, engine)
    assert (delegation.partitions, delegation.fallback) == (1, ())
    assert all(output.max_abs < 1e-5 for output in parity.outputs)


class Products(nn.Module):
    """Two matrices, one matrix, and one matrix for several rows of maps."""

    def forward(self, q, k):
        q, k = q.reshape(2, 5, 4), k.reshape(2, 4, 3)
        one = torch.bmm(q.reshape(1, 10, 4), k.narrow(0, 0, 1)).reshape(2, 5, 3)
        return torch.bmm(q, k).reshape(1, 2, 5, 3), one


class Heads(nn.Module):
    """Attention with four heads."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x):
        parts = (self.qkv(x).narrow(-1, 16 * i, 16) for i in range(3))
        q, k, v = (part.reshape(1, 6, 4, 4).permute(0, 2, 1, 3) for part in parts)
        share = torch.einsum("bhid,bhjd->bhij", q, k).softmax(-1)
        return self.out(torch.einsum("bhij,bhjd->bhid", share, v).permute(0, 2, 1, 3).reshape(1, 6, 16))


class Shares(nn.Module):
    """Softmax over every axis of a map behind a convolution, before another one, and of fewer axes."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(5, 4, 1)

    def forward(self, x):
        y = self.first(x)
        hinted = y.permute(0, 2, 3, 1).softmax(-1).permute(0, 3, 1, 2)
        attended = self.last(y * y.softmax(-1) + y.flatten(2).softmax(1).reshape(y.shape))
        return hinted, attended, y.softmax(1), nn.functional.softmin(y, -2), torch.special.softmax(y, 3)


class Parts(nn.Module):
    """Attention to other keys, whose projection is a part of one weight; weights that share their memory."""

    def __init__(self):
        super().__init__()
        self.attend = nn.MultiheadAttention(16, 2, batch_first=True)
        memory = torch.randn(400)
        self.weight = nn.Parameter(memory[40:104].view(4, 16))
        self.turned = nn.Parameter(memory[200:232].view(4, 8).T)
        self.register_buffer("shift", memory[300:304])

    def forward(self, x, keys):
        attended = self.attend(x, keys, keys, need_weights=False)[0]
        mixed = nn.functional.linear(nn.functional.linear(attended, self.weight), self.turned)
        return mixed, self.shift * 2 + x[..., :4]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_part_of_a_weight_is_that_part(engine):
    check(Parts(), (torch.randn(1, 4, 16), torch.randn(1, 6, 16)), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_each_head_has_its_own_product(engine):
    check(Products(), (torch.randn(1, 2, 5, 4), torch.randn(1, 2, 4, 3)), engine)
    check(Heads(), torch.randn(1, 6, 16), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_softmax_is_over_the_axis_that_the_model_says(engine):
    check(Shares(), torch.randn(1, 3, 6, 7), engine)


class Attended(Shares):
    def forward(self, x):
        y = self.first(x).relu()
        return self.last(y * (4 * y).softmax(-1))


def test_quantised_files_have_that_axis_too(tmp_path):
    torch.manual_seed(0)
    bundle = export_bundle(
        live_model(Attended().eval(), torch.randn(1, 3, 12, 14), "net"), tmp_path / "net.edgekit",
        engines=["executorch"], precisions=["dynamic_wi8_afp32", "static_wi8_ai8"],
        quantize=QuantizeOptions(),
    )  # fmt: skip
    for variant in bundle.manifest.variants:
        assert variant.parity.sqnr_db > 20, variant.name
