"""Chains of kernels as PyTorch modules."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from edgekit.models.layers import SqueezeExcite
from edgekit.nn import DynamicConv2d, DynamicReLU, SelectiveKernel
from edgekit.search.kernels.chain import BINARY, Chain, Map, Step

_ACTS: dict[str, Callable[[], nn.Module]] = {
    "none": nn.Identity, "relu": nn.ReLU, "relu6": nn.ReLU6, "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "silu": nn.SiLU, "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU, "elu": nn.ELU,
}  # fmt: skip
_OF_TWO: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "maximum": torch.maximum, "minimum": torch.minimum,
}  # fmt: skip


class KernelGraph(nn.Module):
    """Chains that run one after the other, each on an input of its own."""

    def __init__(self, chains: Sequence[Chain]):
        super().__init__()
        self.chains = nn.ModuleList(
            nn.Sequential(*map(module_of, chain.steps, chain.maps()[:-1])) for chain in chains
        )

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return what each chain makes of its input, (1, C, H, W) or (1, C) each."""
        return tuple(chain(x) for chain, x in zip(self.chains, inputs, strict=True))


def build_graph(chains: Sequence[Chain], seed: int) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    """Return a module of random weights and an example of its inputs.

    What each layer with weights gives is scaled to a deviation of one: numbers that fade out become
    denormal, which are slow, and numbers that grow become infinite.
    """
    torch.manual_seed(seed)
    graph = KernelGraph(chains).eval()
    example = tuple(torch.randn(1, c.start.channels, c.start.side, c.start.side) for c in chains)
    hooks = [
        module.register_forward_hook(_scale)
        for module in graph.modules()
        if isinstance(module, nn.Conv2d | nn.Linear | nn.ConvTranspose2d)
    ]
    with torch.no_grad():
        graph(*example)
    for hook in hooks:
        hook.remove()
    return graph, example


def _scale(module: nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
    deviation = float(output.std()) if output.numel() > 1 else 1.0
    if not 1e-3 < deviation < 1e3:
        return output
    module.weight.data /= deviation
    if module.bias is not None:
        module.bias.data /= deviation
    return output / deviation


def module_of(step: Step, taken: Map) -> nn.Module:
    """Return ``step`` as a module that takes ``taken``."""
    channels, window = taken.channels, step.window
    if step.kind in ("conv", "depthwise"):
        groups = channels if step.kind == "depthwise" else 1
        out = channels if step.kind == "depthwise" else step.channels
        return _with_act(nn.Conv2d(channels, out, window, step.stride, window // 2, groups=groups), step.act)
    if step.kind == "dynamic_conv":
        return _with_act(DynamicConv2d(channels, step.channels, window, step.stride, window // 2), step.act)
    if step.kind in ("linear", "linear_softmax"):
        act = nn.Softmax(-1) if step.kind == "linear_softmax" else _ACTS[step.act]()
        return nn.Sequential(OrderedDict(linear=nn.Linear(channels, step.channels), act=act))
    if step.kind in _ACTS:
        return _ACTS[step.kind]()
    if step.kind in BINARY:
        return OfTwo(step.kind, taken)
    return _OTHERS[step.kind](step, taken)


def _with_act(conv: nn.Module, act: str) -> nn.Module:
    return nn.Sequential(OrderedDict(conv=conv, act=_ACTS[act]()))


def _max_pool(step: Step) -> nn.Module:
    pool = nn.MaxPool2d(step.window, step.stride)
    # A map that a ReLU leaves is padded with zeros, as ResNets do: other maps cost engines far more.
    return pool if step.window == 2 else nn.Sequential(nn.ReLU(), nn.ZeroPad2d(1), pool)


class Residual(nn.Module):
    """A convolution whose input is added to its output."""

    def __init__(self, channels: int, window: int, act: str):
        super().__init__()
        self.conv, self.act = nn.Conv2d(channels, channels, window, padding=window // 2), _ACTS[act]()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(x + self.conv(x))


class OfTwo(nn.Module):
    """An operation of a map, or a vector, and a number for each channel."""

    def __init__(self, kind: str, taken: Map):
        super().__init__()
        self.kind = kind
        shape = (1, taken.channels) + ((1, 1) if taken.side else ())
        self.register_buffer("other", torch.rand(shape) + 0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "div":  # by numbers that are known it would be a product
            return self.other / (x * x + 1.0)
        return _OF_TWO[self.kind](x, self.other)


class Concat(nn.Module):
    """A map beside its own ReLU."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, F.relu(x)], 1)


class Swapped(nn.Module):
    """The halves of a map's channels in the other order."""

    def __init__(self, channels: int):
        super().__init__()
        self.half = channels // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[:, self.half :], x[:, : self.half]], 1)


class Attention(nn.Module):
    """Self-attention of one head over the positions of a map, with softmax."""

    def __init__(self, channels: int):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(channels, channels) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, rows, columns = x.shape
        tokens = x.flatten(2).transpose(1, 2)  # (1, H * W, C)
        scores = torch.softmax(self.query(tokens) @ self.key(tokens).transpose(1, 2), -1)
        mixed = self.out(scores @ self.value(tokens))
        return mixed.transpose(1, 2).reshape(batch, channels, rows, columns)


class ChannelSoftmax(nn.Module):
    """Softmax over the positions of each channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x.flatten(2), -1).reshape(x.shape)


class ChannelNorm(nn.Module):
    """Layer normalisation of each position's channels."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Exponential(nn.Module):
    """The exponential of a map."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(x)


class Root(nn.Module):
    """The square root of a map without its signs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(torch.abs(x))


class Gathered(nn.Module):
    """A map's channels in an order that indices give."""

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("order", torch.arange(channels - 1, -1, -1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.index_select(1, self.order)


_OTHERS: dict[str, Callable[[Step, Map], nn.Module]] = {
    "residual": lambda step, taken: Residual(taken.channels, step.window, step.act),
    "max_pool": lambda step, taken: _max_pool(step),
    "avg_pool": lambda step, taken: nn.AvgPool2d(step.window, step.stride),
    "global_pool": lambda step, taken: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "squeeze_excite": lambda step, taken: SqueezeExcite(taken.channels, max(4, taken.channels // 4)),
    "dynamic_relu": lambda step, taken: DynamicReLU(taken.channels),
    "selective_kernel": lambda step, taken: SelectiveKernel(taken.channels, taken.channels),
    "upsample": lambda step, taken: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
    "transposed_conv": lambda step, taken: nn.ConvTranspose2d(
        taken.channels, step.channels, step.window, 2, (step.window - 2) // 2
    ),
    "concat": lambda step, taken: Concat(),
    "pad": lambda step, taken: nn.ZeroPad2d((0, 1, 0, 1)),
    "slice": lambda step, taken: Swapped(taken.channels),
    "softmax": lambda step, taken: ChannelSoftmax(),
    "attention": lambda step, taken: Attention(taken.channels),
    "layer_norm": lambda step, taken: ChannelNorm(taken.channels),
    "exp": lambda step, taken: Exponential(),
    "sqrt": lambda step, taken: Root(),
    "gather": lambda step, taken: Gathered(taken.channels),
}
