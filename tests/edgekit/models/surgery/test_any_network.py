"""Networks that nobody wrote for edgekit: blocks that are no class, gates of all kinds, what cannot go."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from edgekit.models.surgery.groups import ChannelGraph
from edgekit.models.surgery.removal import physically_remove
from edgekit.models.surgery.trial import try_removal

EXAMPLE = torch.rand(2, 1, 8, 8)


def conv(inputs, outputs, kernel=3, **options):
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False, **options)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


def around(*blocks):
    """Return a classifier with ``blocks`` of 8 channels inside."""
    return nn.Sequential(conv(1, 8), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))


class Added(nn.Module):
    """A residual block whose inside is handed to it."""

    def __init__(self, inside):
        super().__init__()
        self.inside = inside

    def forward(self, x):
        return x + self.inside(x)


class Gate(nn.Module):
    """Squeeze and excitation of another hand, of convolutions or of linear layers."""

    def __init__(self, channels, linear):
        super().__init__()
        self.linear = linear
        kind = nn.Linear if linear else lambda a, b: nn.Conv2d(a, b, 1)
        self.down, self.up = kind(channels, 8), kind(8, channels)

    def forward(self, x):
        pooled = x.mean((2, 3), keepdim=not self.linear)
        factors = torch.sigmoid(self.up(F.relu(self.down(pooled))))
        return x * (factors[:, :, None, None] if self.linear else factors)


class Product(nn.Module):
    """Two maps of one size, multiplied: both make the channels."""

    def __init__(self):
        super().__init__()
        self.map, self.gate, self.last = conv(8, 16), nn.Conv2d(8, 16, 1), nn.Conv2d(16, 8, 1)

    def forward(self, x):
        return x + self.last(self.map(x) * torch.sigmoid(self.gate(x)))


class Halves(nn.Module):
    """One half of a map, multiplied by the other."""

    def __init__(self):
        super().__init__()
        self.wide, self.last = nn.Conv2d(8, 16, 3, padding=1), nn.Conv2d(8, 8, 1)

    def forward(self, x):
        left, right = self.wide(x).chunk(2, 1)
        return x + self.last(left * right)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(8, 16, 1), nn.Conv2d(16, 8, 1)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)

    def forward(self, x):
        tokens = self.first(x).flatten(2).transpose(1, 2)
        mixed = self.attention(tokens, tokens, tokens)[0].transpose(1, 2)
        return x + self.last(mixed.reshape(len(x), 16, *x.shape[2:]))


class Parts(nn.Module):
    """Blocks that are plain sequences, added by the network itself."""

    def __init__(self):
        super().__init__()
        self.stem = conv(1, 8)
        self.blocks = nn.ModuleList([nn.Sequential(conv(8, 16), conv(16, 8)) for _ in range(2)])
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x.mean((2, 3)))


class Wrapper(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)


def depthwise(gate, act=nn.ReLU):
    layers = [nn.Conv2d(8, 32, 1), nn.BatchNorm2d(32), act(), nn.Conv2d(32, 32, 3, padding=1, groups=32)]
    return Added(nn.Sequential(*layers, nn.BatchNorm2d(32), act(), gate, nn.Conv2d(32, 8, 1)))


def split(network, scope="inside"):
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, std=0.1)
    return try_removal(network, ChannelGraph(network, EXAMPLE[:1]).groups(scope), EXAMPLE)


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (around(Added(nn.Sequential(conv(8, 16), conv(16, 8)))), ["1.inside.0.0"]),
        (Wrapper(around(Added(nn.Sequential(conv(8, 16), conv(16, 8))))), ["network.1.inside.0.0"]),
        (Parts(), ["blocks.0.0.0", "blocks.1.0.0"]),
        (Wrapper(Parts()), ["network.blocks.0.0.0", "network.blocks.1.0.0"]),
        (around(depthwise(Gate(32, linear=False))), ["1.inside.0"]),
        (around(depthwise(Gate(32, linear=True), nn.Hardswish)), ["1.inside.0"]),
        (around(Product()), ["1.map.0"]),
    ],
    ids=["handed", "wrapped", "sequences", "wrapped-sequences", "gate", "linear-gate", "product"],
)
def test_blocks_are_found_however_they_are_written(network, names):
    groups, left_out = split(network)
    assert [group.name for group in groups] == names
    assert left_out == {}
    plan = {group.name: tuple(range(group.channels // 2)) for group in groups}
    compact = physically_remove(network, plan, EXAMPLE)
    assert all(compact.get_submodule(g.name).out_channels == g.channels // 2 for g in groups)


def test_a_gate_makes_no_channels_and_its_own_stay():
    groups, _ = split(around(depthwise(Gate(32, linear=False))), "all")
    assert [(group.name, group.layers) for group in groups] == [
        ("0.0", ("0.0", "1.inside.7")),
        ("1.inside.0", ("1.inside.0",)),
    ]


@pytest.mark.parametrize(
    ("block", "name", "reason"),
    [
        (depthwise(nn.Identity(), nn.Sigmoid), "1.inside.0", "does not map 0 to 0"),
        (Halves(), "1.wide", "leaves a layer empty"),
        (Attention(), "1.first", "does not run"),
        (
            Added(nn.Sequential(conv(8, 16), conv(16, 16, groups=4), conv(16, 8))),
            "1.inside.0.0",
            "a convolution of 4 groups",
        ),
    ],
    ids=["sigmoid", "halves", "attention", "grouped"],
)
def test_what_cannot_go_is_left_out_and_the_rest_goes(block, name, reason):
    groups, left_out = split(around(block, Added(nn.Sequential(conv(8, 16), conv(16, 8)))))
    assert [group.name for group in groups] == ["2.inside.0.0"]
    assert list(left_out) == [name]
    assert reason in left_out[name]
