"""Spellings that engines' delegates refuse are rewritten by rule: wholly delegated, with the same numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.edgekit.export.compared import compared

ENGINES = ["executorch", "litert"]


class Spelt(nn.Module):
    """What each function makes of a map behind a convolution and of a row of vectors behind a layer."""

    def __init__(self, functions):
        super().__init__()
        self.conv, self.linear, self.functions = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(12, 12), functions
        self.register_buffer("weight", torch.randn(80, 4))

    def forward(self, image, rows):
        y, rows = self.conv(image), self.linear(rows)
        return tuple(function(y, rows, self.weight) for function in self.functions)


MEANS = [
    lambda y, r, w: y.mean((2, 3)),
    lambda y, r, w: y * y.mean(1, keepdim=True),
    lambda y, r, w: y.mean((1, 3)) + y.mean(),
    lambda y, r, w: r.mean(1) - r.mean((1, 2)),
    lambda y, r, w: y.sum((2, 3)) / 9,
    lambda y, r, w: r / (1 + r.abs().sum(-1, keepdim=True)),
    lambda y, r, w: y.var((2, 3)) + r.std(),
    lambda y, r, w: F.normalize(r, dim=-1),
    lambda y, r, w: y / (y.norm(dim=1, keepdim=True) + 1),
]
EXTREMES = [
    lambda y, r, w: y.amax((2, 3)) - y.amin((2, 3)),
    lambda y, r, w: y * y.max(1, keepdim=True).values,
    lambda y, r, w: r.amax(1) - r.amax(-1, keepdim=True).amax(1),
    lambda y, r, w: F.log_softmax(y, 1),
    lambda y, r, w: y.max(),
]
PARTS = [
    lambda y, r, w: torch.cat([part.tanh() for part in y.split([3, 5], 1)], 1),
    lambda y, r, w: (lambda a, b: a * b.sigmoid())(*y.chunk(2, 1)),
    lambda y, r, w: torch.stack([part * 2 for part in r[:, :4].unbind(1)], 1),
    lambda y, r, w: r[:, -1] + r[:, 0],
    lambda y, r, w: r[:, :, None] - r[:, None],
    lambda y, r, w: y.mean(1, keepdim=True).squeeze(1).exp() * 2,
    lambda y, r, w: torch.cat([torch.zeros_like(y[:, :2]), y, torch.full_like(y, 0.5)], 1),
    lambda y, r, w: torch.cat([y * i for i in range(1, 8)], 1),
    lambda y, r, w: torch.cat([y.tanh()], 1) + torch.stack([r], 1).mean(),
    lambda y, r, w: y[:, :, ::2, 1::3],
    lambda y, r, w: y * y.mean((2, 3), keepdim=True).expand_as(y),
]
POOLS = [
    lambda y, r, w: F.adaptive_avg_pool2d(y, (4, 5)),
    lambda y, r, w: F.adaptive_avg_pool2d(y, 3),
    lambda y, r, w: F.adaptive_max_pool2d(y, (4, 2)),
    lambda y, r, w: F.adaptive_max_pool2d(y, (3, 4)),
    lambda y, r, w: F.avg_pool2d(y, 3, 2, 1),
    lambda y, r, w: F.avg_pool2d(y, 3, 2, 1, ceil_mode=True),
    lambda y, r, w: F.avg_pool2d(y, 3, 2, 1, ceil_mode=True, count_include_pad=False),
    lambda y, r, w: F.avg_pool2d(y, 2, divisor_override=3),
    lambda y, r, w: F.max_pool2d(y, 3, 2, 1),
    lambda y, r, w: F.max_pool1d(r, 3, 2, 1) + F.avg_pool1d(r, 3, 2, 1),
    lambda y, r, w: F.max_pool2d(y, (4, 3), (2, 1), (2, 1), dilation=2),
    lambda y, r, w: F.max_pool1d(r, 3, 1, 1, dilation=3),
    lambda y, r, w: F.local_response_norm(y, 3) + F.local_response_norm(y, 5, 0.01, 0.5, 2.0),
]
POINTWISE = [
    lambda y, r, w: y.clamp(0, 1) + (1 - y),
    lambda y, r, w: y**3 + y**2.0,
    lambda y, r, w: (y.abs() + 0.1) ** 1.5 - 1 / (y.abs() + 1),
    lambda y, r, w: F.avg_pool2d(y.clamp(min=1e-2).pow(3), (8, 10)).pow(1 / 3),
    lambda y, r, w: F.softplus(y) + F.mish(y) + F.hardsigmoid(y) + F.logsigmoid(y),
    lambda y, r, w: F.elu(y) + F.celu(y, 0.5) + F.selu(y),
    lambda y, r, w: torch.add(y, y.relu(), alpha=2),
    lambda y, r, w: (y.reshape(1, 2, 4, 8, 10) * 2) ** 2,
]
PRODUCTS = [
    lambda y, r, w: F.linear(y.flatten(2), w.t()) + y.flatten(2) @ w,
    lambda y, r, w: r[0] @ r[0].relu(),
    lambda y, r, w: y.relu() @ y.transpose(-1, -2),
    lambda y, r, w: r[0] @ r[0].relu().T,
    lambda y, r, w: F.linear(r.tanh(), r[0], r[0, 1]),
    lambda y, r, w: F.scaled_dot_product_attention(y.tanh(), y, y.sigmoid()),
    lambda y, r, w: F.layer_norm(r, (12,)) + F.group_norm(y, 2).mean(),
    lambda y, r, w: y * torch.bmm(y.flatten(2), y[:, :1].reshape(1, -1, 1).softmax(1)).unsqueeze(-1),
]
ATTENTIONS = [
    lambda y, r, w: F.scaled_dot_product_attention(y, y.tanh(), y.sigmoid(), is_causal=True),
    lambda y, r, w: F.scaled_dot_product_attention(y, y.tanh(), y, torch.ones(8, 8).tril(1).bool()),
    lambda y, r, w: F.scaled_dot_product_attention(r, r.tanh(), r, -torch.arange(12.0).outer(torch.ones(12))),
    lambda y, r, w: F.scaled_dot_product_attention(y, y[:, :4].tanh(), y[:, :4], enable_gqa=True),
    lambda y, r, w: F.scaled_dot_product_attention(y, y[:, :1].tanh(), y[:, 1:2], is_causal=True),
]
CONSTANTS = [
    lambda y, r, w: r @ torch.ones(12, 12).tril() + torch.eye(12) * 2,
    lambda y, r, w: y + (torch.arange(10) % 7).float() - torch.where(torch.ones(8, 10).triu() > 0, 0.5, 2.0),
    lambda y, r, w: y.repeat(1, 3, 1, 1) + y.tile(3, 1, 1),
]
ORDERS = [
    lambda y, r, w: y[:, [2, 1, 0]] * 2 + y[:, -1:],
    lambda y, r, w: y.index_select(2, torch.tensor([0, 1, 2, 7])) + y[:, :, torch.tensor([4, 5, 0, -1])],
    lambda y, r, w: r[..., [0, 1, 2, 9]].tanh(),
]
KERNELS = [
    lambda y, r, w: F.conv2d(y, w[:9, 0].reshape(1, 1, 3, 3).repeat(8, 1, 1, 1), padding=1, groups=8),
    lambda y, r, w: F.conv2d(y, w[:8, :1].reshape(8, 1, 1, 1).expand(8, 1, 3, 3) / 9, groups=8),
    lambda y, r, w: F.conv1d(r, w[:36].reshape(4, 12, 3), w[3], stride=2, padding=1),
    lambda y, r, w: F.conv1d(r, w[5:14].reshape(1, 12, 3).flip(-1).tile(4, 1, 1)),
    lambda y, r, w: F.conv_transpose2d(y, w[:32].reshape(8, 4, 2, 2) * 0.5, stride=2),
]
CONDITIONS = [
    lambda y, r, w: torch.where(y > 0, y, 0.1 * y) + y.sign(),
    lambda y, r, w: y.masked_fill(y < 0.2, 0.0) + (y >= 0.5).float(),
    lambda y, r, w: r * (r > 0) - r.masked_fill((r <= 0) | ~(r > -1), 2.0),
    lambda y, r, w: F.hardshrink(y) + F.softshrink(y) + F.threshold(y, 0.1, -1.0),
    lambda y, r, w: r.masked_fill(torch.ones(12, 12).triu(1).bool(), -torch.inf).softmax(-1),
    lambda y, r, w: torch.where((y > y.mean()) & (y != 0.25), y, y.mean((2, 3), keepdim=True)),
    lambda y, r, w: r.masked_fill(r < r.mean(-1, keepdim=True), -torch.inf).softmax(-1),
    lambda y, r, w: torch.where((r.amax(-1) > 1)[:, :, None], r, -torch.inf).amax((1, 2)),
    lambda y, r, w: torch.where(r.mean(1, keepdim=True) > 0, 1.0, -1.0).expand(1, 12, 12),
]
FLIPS = [
    lambda y, r, w: y.flip(3) + y.flip((1, 2)),
    lambda y, r, w: r.flip(1) + r[:, :2].flip(1).mean(),
]
MARGINS = [
    lambda y, r, w: F.pad(y, (1, 1, 1, 1), "reflect"),
    lambda y, r, w: F.pad(y, (3, 2, 4, 0), "reflect"),
    lambda y, r, w: F.pad(r, (2, 1), "reflect"),
    lambda y, r, w: F.pad(y, (2, 2, 2, 2), "replicate"),
    lambda y, r, w: F.pad(y, (4, 1, 0, 3), "replicate"),
    lambda y, r, w: F.pad(y, (2, 1, 1, 0), "circular"),
    lambda y, r, w: F.pad(y, (1, 2, 0, 1), value=-3.0),
    lambda y, r, w: F.pad(r, (1, 1), value=1e4),
]
LARGER = [
    lambda y, r, w: F.interpolate(y, scale_factor=2),
    lambda y, r, w: F.interpolate(y, size=(12, 20)) + F.interpolate(y, size=(12, 20), mode="nearest-exact"),
    lambda y, r, w: F.interpolate(y, scale_factor=1.7) + F.interpolate(y, size=(13, 17)),
    lambda y, r, w: F.interpolate(r, scale_factor=3),
    lambda y, r, w: y.mean((2, 3), keepdim=True).expand(1, 8, 5, 6),
    lambda y, r, w: r[:, :1].expand(1, 5, 12),
    lambda y, r, w: torch.stack([r * i for i in range(1, 8)], 1),
    lambda y, r, w: torch.stack([y * i for i in range(1, 8)], -1),
]
FIGURES = [
    lambda y, r, w: torch.exp2(r) + torch.hypot(r, r * 2),
    lambda y, r, w: r % 1.5,
    lambda y, r, w: torch.trunc(r * 3) + torch.frac(y.mean() * 9),
]
PATCHES = [
    lambda y, r, w: F.unfold(y, 3, dilation=2, stride=2),
    lambda y, r, w: F.fold(F.unfold(y, 3, padding=1), (8, 10), 3, padding=1),
    lambda y, r, w: y.unfold(2, 4, 4) + r.unfold(1, 4, 4).mean(),
    lambda y, r, w: r.unfold(-1, 4, 2),
]
DIAGONALS = [
    lambda y, r, w: r.diagonal(dim1=1, dim2=2) * 2,
    lambda y, r, w: y.diagonal(1, 2, 3).tanh(),
    lambda y, r, w: y.diagonal(-2, 1, 3) + 1,
    lambda y, r, w: r[0].trace() * 2,
    lambda y, r, w: torch.diag(r[0]) * 2,
    lambda y, r, w: torch.diag_embed(r[:, 0]) + r,
]


def assign(x, where, value):
    x[where] = value
    return x


REST = slice(None)
ASSIGNED = [
    lambda y, r, w: torch.cat([torch.empty_like(y[:, :1]).fill_(0.5), y], 1),
    lambda y, r, w: torch.empty_like(y).zero_() + y,
    lambda y, r, w: assign(torch.zeros_like(y), (REST, slice(2, 6)), y[:, :4] * 2) + y,
    lambda y, r, w: assign(r * 2, (REST, -1), r[:, 0]) + assign(r * 3, (REST, REST, slice(9, None)), 1.5),
    lambda y, r, w: assign(torch.zeros(1, 8, 12, 14), (REST, REST, slice(2, 10), slice(2, 12)), y),
]
GROUPS = {
    "diagonals": DIAGONALS,
    "assigned": ASSIGNED,
    "patches": PATCHES,
    "figures": FIGURES,
    "means": MEANS,
    "extremes": EXTREMES,
    "parts": PARTS,
    "pools": POOLS,
    "pointwise": POINTWISE,
    "products": PRODUCTS,
    "kernels": KERNELS,
    "attentions": ATTENTIONS,
    "constants": CONSTANTS,
    "orders": ORDERS,
    "conditions": CONDITIONS,
    "flips": FLIPS,
    "margins": MARGINS,
    "larger": LARGER,
}


def check(net, example, engine):
    """Assert that ``net`` is wholly delegated, in one piece, and right."""
    delegation, parity = compared(net, example, engine)
    assert (delegation.partitions, delegation.fallback) == (1, ())
    wrong = {
        output.name: output.max_abs for output in parity.outputs if output.max_abs > output.tolerance / 5
    }
    assert wrong == {}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("functions", GROUPS.values(), ids=GROUPS)
def test_spellings_that_delegates_refuse(functions, engine):
    torch.manual_seed(0)
    check(Spelt(functions), (torch.randn(1, 3, 8, 10), torch.randn(1, 12, 12)), engine)


WHOLE = [
    lambda y, r, w: F.adaptive_avg_pool2d(y, 7),
    lambda y, r, w: F.adaptive_max_pool2d(y, (7, 4)),
    lambda y, r, w: nn.AdaptiveAvgPool2d((None, 1))(y) + nn.AdaptiveAvgPool2d((1, None))(y).transpose(2, 3),
    lambda y, r, w: F.adaptive_avg_pool2d(y, (5, 6)),
    lambda y, r, w: F.adaptive_avg_pool1d(r, 4) + F.adaptive_max_pool1d(r, 4).amax(),
    lambda y, r, w: F.avg_pool2d(y, 7, ceil_mode=True) + F.max_pool2d(y, 7, ceil_mode=True),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_pools_of_maps_as_large_as_networks_have_them(engine):
    torch.manual_seed(0)
    check(Spelt(WHOLE), (torch.randn(1, 3, 28, 28), torch.randn(1, 12, 12)), engine)


class Looked(nn.Module):
    """Entries of a table, which no delegate looks up, in the forms that exporters have no op for."""

    def __init__(self):
        super().__init__()
        self.bags = nn.ModuleList(nn.EmbeddingBag(20, 8, mode=mode) for mode in ("mean", "sum", "max"))

    def forward(self, ids, shares):
        weighed = F.embedding_bag(ids, self.bags[1].weight, mode="sum", per_sample_weights=shares)
        return *(bag(ids) for bag in self.bags), weighed, F.one_hot(ids, 20).float().mean(1)


@pytest.mark.parametrize("engine", ENGINES)
def test_lookups_are_right_where_they_may_leave_the_delegate(engine):
    torch.manual_seed(0)
    delegation, parity = compared(Looked(), (torch.randint(0, 20, (1, 6)), torch.rand(1, 6)), engine)
    assert delegation.fallback
    assert all(output.max_abs < 1e-6 for output in parity.outputs)


class Widened(nn.Module):
    """Kernels with gaps, with and without a margin, of one group and of several."""

    def __init__(self):
        super().__init__()
        self.whole = nn.ConvTranspose2d(8, 4, 3, stride=2, dilation=2)
        self.parts = nn.ConvTranspose2d(8, 8, 3, 2, 2, output_padding=1, groups=4, dilation=(3, 1))

    def forward(self, x):
        return self.whole(x), self.parts(x)


def test_transposed_convolutions_with_gaps_convert_to_litert():
    torch.manual_seed(0)
    check(Widened(), (torch.randn(1, 8, 6, 7),), "litert")


class Attending(nn.Module):
    """A small ViT as its users write it: a class token, heads by reshape and unbind, the token alone read."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, 4)
        self.token, self.place = nn.Parameter(torch.randn(1, 1, 16)), nn.Parameter(torch.randn(1, 5, 16))
        self.first, self.last = nn.LayerNorm(16), nn.LayerNorm(16)
        self.qkv, self.out, self.head = nn.Linear(16, 48), nn.Linear(16, 16), nn.Linear(16, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(len(x), -1, -1), x), 1) + self.place
        batch, places, width = x.shape
        q, k, v = self.qkv(self.first(x)).reshape(batch, places, 3, 4, 4).permute(2, 0, 3, 1, 4).unbind(0)
        shares = ((q * 0.5) @ k.transpose(-2, -1)).softmax(-1)
        x = x + self.out((shares @ v).transpose(1, 2).reshape(batch, places, width))
        return self.head(self.last(x)[:, 0])


class Gated(nn.Module):
    """Squeeze and excitation with linear layers."""

    def __init__(self):
        super().__init__()
        self.conv, self.down, self.up = nn.Conv2d(3, 8, 3), nn.Linear(8, 4), nn.Linear(4, 8)

    def forward(self, x):
        x = self.conv(x)
        gate = F.hardsigmoid(self.up(self.down(x.mean((2, 3))).relu()))
        return x * gate[:, :, None, None]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["vit", "encoder", "gate"])
def test_attention_and_gates_as_users_write_them(kind, engine):
    torch.manual_seed(0)
    nets = {
        "vit": (Attending, torch.randn(1, 3, 8, 8)),
        "encoder": (lambda: nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), torch.randn(1, 6, 16)),
        "gate": (Gated, torch.randn(1, 3, 8, 8)),
    }
    make, example = nets[kind]
    check(make(), example, engine)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("function", [one for group in GROUPS.values() for one in group])
def test_each_spelling_by_itself(function, engine):
    torch.manual_seed(0)
    check(Spelt([function]), (torch.randn(1, 3, 8, 10), torch.randn(1, 12, 12)), engine)
