"""Draw maps and steps from the ranges that networks for phones have, within the limits of a graph."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from edgekit.search.kernels.chain import APART, ENDS, LONE, ON_VECTORS, POOLS, SAME, Map, Step

SIDES = (4, 224)  # of a chain's first map; strides make them smaller
CHANNELS = (8, 1600)
# How large maps and weights are decides which cache a kernel finds its data in, so each graph has limits of
# its own: elements of a map, up to 96 channels of 120 x 120, and weights of all its kernels, 1 to 48 MB.
ELEMENTS = (80_000, 1_400_000)
WEIGHTS = (250_000, 12_000_000)
_MOST_MACS = 160_000_000  # of a kernel
_DEEP_SIDES = (2, 28)
_WINDOWS = {
    "conv": {1: 0.62, 3: 0.31, 5: 0.04, 7: 0.03}, "depthwise": {3: 0.52, 5: 0.48},
    "residual": {1: 0.5, 3: 0.5}, "dynamic_conv": {1: 0.6, 3: 0.4}, "transposed_conv": {2: 0.6, 4: 0.4},
}  # fmt: skip
_SMALL_ONLY = ("attention", "softmax")  # networks have them on small maps


@dataclass(frozen=True)
class Limits:
    """The largest map of a chain, the weights of all its kernels, and how many steps it may be drawn."""

    elements: int = ELEMENTS[1]
    weights: int = WEIGHTS[1]
    steps: int = 18


RANGES = Limits()


def draw_map(rng: random.Random, limits: Limits) -> Map:
    """Return any map within ``limits``: fewer channels the larger it is, as in networks."""
    side = round(log_uniform(rng, SIDES[0], min(SIDES[1], math.isqrt(limits.elements // CHANNELS[0]))))
    most = min(CHANNELS[1], limits.elements // side**2)
    return Map(rounded(rng, log_uniform(rng, CHANNELS[0], max(CHANNELS[0], most))), side)


def draw_large_map(rng: random.Random, limits: Limits) -> Map:
    """Return one of the largest maps within ``limits``, as networks have in their first layers."""
    most = min(SIDES[1], math.isqrt(limits.elements // CHANNELS[0]))
    side = round(log_uniform(rng, min(16, most), most))
    channels = int(min(CHANNELS[1], rng.uniform(0.4, 1.0) * limits.elements / side**2))
    return Map(max(1, channels // 8 * 8 or channels), side)


def draw_deep_map(rng: random.Random, limits: Limits, weights_per_kernel: float) -> Map:
    """Return a small map of many channels: its convolutions hold about so many weights, as last layers do."""
    channels = math.sqrt(weights_per_kernel) * log_uniform(rng, 0.7, 2.0)
    channels = rounded(rng, min(CHANNELS[1], max(CHANNELS[0], channels)))
    most = math.isqrt(min(limits.elements // channels, _MOST_MACS // channels**2))
    most = max(_DEEP_SIDES[0], min(_DEEP_SIDES[1], most))
    return Map(channels, round(log_uniform(rng, _DEEP_SIDES[0], most)))


def shape_step(rng: random.Random, step: Step, taken: Map) -> Step:
    """Return a step of the same kind with a window, stride and channels of its own; a window it has stays."""
    kind, windows = step.kind, _WINDOWS.get(step.kind, {1: 1.0})
    window = step.window if step.window > 1 else rng.choices(list(windows), list(windows.values()))[0]
    if kind in ("conv", "residual", "depthwise", "dynamic_conv"):
        may_stride = kind in ("conv", "depthwise") and taken.side > 3
        stride = 2 if may_stride and rng.random() < (0.3 if window > 1 else 0.06) else 1
        channels = taken.channels if kind in ("residual", "depthwise") else _draw_channels(rng, taken)
        return Step(kind, channels, window, stride, draw_act(rng))
    if kind in POOLS:
        return Step(kind, 0, rng.choice((2, 3)), 2)
    if kind == "transposed_conv":
        return Step(kind, _draw_channels(rng, taken), window)
    if kind in ON_VECTORS:
        act = rng.choice(("none", "relu"))
        return Step(kind, rounded(rng, log_uniform(rng, *CHANNELS)), 1, 1, act)
    return Step(kind)


def fits(step: Step, taken: Map, limits: Limits) -> bool:
    """Whether a map can be taken by a step of its kind, and what it leaves is within ``limits``."""
    left = step.out(taken)
    return (
        (step.kind in ON_VECTORS) == (taken.side == 0)
        and left.elements <= limits.elements
        and step.macs(taken) <= _MOST_MACS
        and step.weights(taken) <= limits.weights
        and 1 <= left.channels <= CHANNELS[1]
        and (step.kind not in POOLS or taken.side >= 4)
        and (step.kind not in (*SAME, *ENDS, "pad", "upsample") or taken.side >= 2)
        and (step.kind != "selective_kernel" or taken.channels % 32 == 0)
        and (step.kind != "slice" or taken.channels > 1)
        and (step.kind not in _SMALL_ONLY or taken.side <= 16)
    )


def stays_alone(step: Step, before: Step | None) -> bool:
    """Whether engines run a step behind ``before`` as a kernel of its own, not as a part of that one."""
    return step.kind not in LONE or before is None or before.kind in APART


def draw_act(rng: random.Random) -> str:
    """Return an activation as networks have behind their convolutions."""
    return rng.choices(("none", "relu", "relu6", "hardswish"), (0.36, 0.26, 0.22, 0.16))[0]


def near(rng: random.Random, channels: int) -> int:
    """Return about so many channels."""
    return max(1, rounded(rng, channels * math.exp(rng.uniform(-0.25, 0.25)))) if channels > 4 else channels


def rounded(rng: random.Random, channels: float) -> int:
    """Return a multiple of 8, as most networks have; now and then any number."""
    return max(8, round(channels / 8) * 8) if rng.random() < 0.85 else max(1, round(channels))


def log_uniform(rng: random.Random, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform between those of the ends."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _draw_channels(rng: random.Random, taken: Map) -> int:
    factor = log_uniform(rng, 1 / 7, 7)
    return rounded(rng, min(CHANNELS[1], max(CHANNELS[0], taken.channels * factor)))
