"""A dynamic block and what it adds to the latency where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from edgekit.models import ModelSpec, Site
from edgekit.nn import DynamicConv2d, DynamicReLU
from edgekit.search.placement.paired import paired_engine_latencies_ms

BRANCHES = 2


@dataclass(frozen=True, order=True)
class Block:
    """A dynamic block as far as its cost goes: sites of equal shape share one.

    Attributes:
        kind: ``conv`` or ``act``; ``form``: its number of kernels, or the variant of dynamic ReLU.
        in_channels, out_channels, height, width, stride, act_follows: as in ``Site``.
    """

    kind: str
    form: str
    in_channels: int
    out_channels: int
    height: int
    width: int
    stride: int
    act_follows: bool

    @staticmethod
    def at(site: Site, spec: ModelSpec) -> Block:
        """Return the block that ``spec`` puts at ``site``."""
        form = spec.act if site.kind == "act" else f"{spec.kernels} kernels"
        shape = (site.in_channels, site.out_channels, site.height, site.width)
        return Block(site.kind, form, *shape, site.stride, site.act_follows)

    def __str__(self) -> str:
        return f"{self.kind} {self.in_channels}->{self.out_channels} at {self.height}x{self.width}"


def measure_block(block: Block, engine: str, branches: int = BRANCHES) -> float:
    """Return the ms that ``block`` takes longer than the static layer in its place.

    Two small networks are exported and timed in turns: ``branches`` times a depthwise convolution
    and the layer, outputs added; in one the layers are dynamic, in the other static. Their
    difference is shared among the branches. It can come out slightly below zero.
    """
    example = torch.zeros(1, block.in_channels, block.height, block.width)
    nets = [_Branches(block, branches, is_dynamic) for is_dynamic in (False, True)]
    static_ms, dynamic_ms = paired_engine_latencies_ms(nets, example, engine)
    return (dynamic_ms - static_ms) / branches


class _Branches(nn.Module):
    """A depthwise convolution and one layer, side by side ``branches`` times; outputs are added."""

    def __init__(self, block: Block, branches: int, is_dynamic: bool):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                # Each layer gets a map of its own: equal ops on one map could be merged.
                nn.Conv2d(block.in_channels, block.in_channels, 3, 1, 1, groups=block.in_channels),
                *_layers(block, is_dynamic),
            )
            for _ in range(branches)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *others = self.branches
        y = first(x)
        for branch in others:
            y = y + branch(x)
        return y


def _layers(block: Block, is_dynamic: bool) -> list[nn.Module]:
    if block.kind == "act":
        return [DynamicReLU(block.in_channels, block.form[-1]) if is_dynamic else nn.ReLU()]
    shape = (block.in_channels, block.out_channels, 1, block.stride)
    kernels = int(block.form.split()[0])
    conv = DynamicConv2d(*shape, kernels=kernels) if is_dynamic else nn.Conv2d(*shape, bias=False)
    norm = nn.BatchNorm2d(block.out_channels)  # folds into the convolution, as it does in a network
    return [conv, norm, nn.ReLU()] if block.act_follows else [conv, norm]
