"""Draw chains of kernels: shapes from the ranges that networks for phones have, never a network's own.

Channels fall as the map grows, because networks for phones keep what a frame costs in bounds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edgekit.search.kernels.chain import (
    BINARY,
    ENDS,
    ON_VECTORS,
    POOLS,
    SAME,
    UNARY,
    Chain,
    Map,
    Step,
)
from runtime.bundle.workload import Op

SIDES = (4, 224)  # of a chain's first map; strides make them smaller
CHANNELS = (8, 1600)
# How large maps and weights are decides which cache a kernel finds its data in, so each graph has limits of
# its own: elements of a map, up to 96 channels of 120 x 120, and weights of all its kernels.
_ELEMENTS = (40_000, 1_400_000)
_WEIGHTS = (1_500_000, 9_000_000)
_MOST_MACS = 160_000_000  # of a kernel
_STEPS_PER_CHAIN = (8, 14)
_STEPS_AFTER = (3, 6)  # one that was asked for, or a head
_STEMS, _HEADS = 0.15, 0.12  # of the chains
# How often a step is drawn. Convolutions take most of a network's time: they need the most samples. A step of
# the rarer ones holds up to a dozen kernels.
_SHARES = {
    "conv": 44, "depthwise": 18, "residual": 8, "squeeze_excite": 1.5, "dynamic_conv": 0.4,
    "dynamic_relu": 0.2, "selective_kernel": 0.2, "max_pool": 1.5, "avg_pool": 1.5, "upsample": 0.5,
    "transposed_conv": 0.5, "global_pool": 2, "concat": 0.6, "pad": 0.2, "slice": 0.1, "softmax": 0.3,
    "attention": 0.3, "linear": 1.5, "linear_softmax": 0.15, **dict.fromkeys((*UNARY, *BINARY), 0.4),
}  # fmt: skip
_WINDOWS = {"conv": {1: 0.62, 3: 0.31, 5: 0.04, 7: 0.03}, "depthwise": {3: 0.5, 5: 0.44, 7: 0.03}}
_OTHER_WINDOWS = {"residual": {1: 0.5, 3: 0.5}, "dynamic_conv": {1: 0.6, 3: 0.4}}
_TRIES = 200


@dataclass(frozen=True)
class Limits:
    """The largest map of a chain, and the weights of all its kernels."""

    elements: int = _ELEMENTS[1]
    weights: int = _WEIGHTS[1]


def draw_graph(
    rng: random.Random, chains: int, without: Collection[str] = (), near: Sequence[Op] = ()
) -> list[Chain]:
    """Return chains that one graph runs one after the other.

    Args:
        rng: where chance comes from.
        without: kinds of steps that the engine cannot build.
        near: each chain begins with a kernel much like one of these; none: as a network may begin.
    """
    weights = _log_uniform(rng, *_WEIGHTS) / chains
    limits = Limits(round(_log_uniform(rng, *_ELEMENTS)), round(weights))
    found = []
    for _ in range(chains):
        chain = draw_near(rng, rng.choice(near), without, limits) if near else None
        found.append(chain or draw_chain(rng, without, limits=limits))
    return found


def draw_chain(
    rng: random.Random,
    without: Collection[str] = (),
    start: Chain | None = None,
    limits: Limits = Limits(),
) -> Chain:
    """Return a chain of about a dozen steps, or of a few after those of ``start``.

    Args:
        rng, without: see ``draw_graph``.
        start: begins the chain; default: a map drawn from the ranges.
    """
    chain = start or _draw_start(rng, without, limits)
    steps, taken = list(chain.steps), chain.maps()[-1]
    left = limits.weights - sum(map(Step.weights, chain.steps, chain.maps()))
    is_short = start is not None or taken.side == 0
    for _ in range(rng.randint(*(_STEPS_AFTER if is_short else _STEPS_PER_CHAIN))):
        step = _draw_step(rng, taken, without, Limits(limits.elements, left))
        if step is None:
            break
        steps.append(step)
        left -= step.weights(taken)
        taken = step.out(taken)
    return Chain(chain.start, tuple(steps))


def draw_near(
    rng: random.Random,
    op: Op,
    without: Collection[str] = (),
    limits: Limits = Limits(),
) -> Chain | None:
    """Return a chain that begins with a kernel much like ``op``; ``None``: of unknown shape, or too large."""
    if not (op.channels_out and op.channels_in and op.window):
        return None
    positions = op.macs / (op.channels_out * op.channels_in * op.window)
    near = Map(_near(rng, op.channels_in if op.kind != "depthwise_conv2d" else op.channels_out), 1)
    if op.kind == "linear" and positions <= 1:
        steps = (Step("global_pool"), Step("linear", _near(rng, op.channels_out)))
        start = Map(near.channels, rng.randint(2, 8))
    else:
        window = round(math.sqrt(op.window))
        is_depthwise = op.kind == "depthwise_conv2d"
        stride = 2 if window > 1 and rng.random() < 0.25 else 1
        side = max(1, round(math.sqrt(positions) * stride * math.exp(rng.uniform(-0.2, 0.2))))
        start = Map(near.channels, side)
        channels = 0 if is_depthwise else _near(rng, op.channels_out)
        kind = "depthwise" if is_depthwise else "conv"
        steps = (Step(kind, channels, window, stride, _draw_act(rng)),)
    taken = start
    for step in steps:
        if step.kind in without or not _fits(step, taken, limits):
            return None
        taken = step.out(taken)
    return draw_chain(rng, without, Chain(start, steps), limits)


def _draw_start(rng: random.Random, without: Collection[str], limits: Limits) -> Chain:
    """Return how a chain begins: as the stem or the head of a network, or as its middle."""
    which = rng.random()
    if which < _STEMS:
        pad = () if rng.random() < 0.5 or "pad" in without else (Step("pad"),)
        return Chain(Map(3, min(rng.randint(32, 256), math.isqrt(limits.elements // 3))), pad)
    if which < _STEMS + _HEADS and not {"global_pool", "linear"} & set(without):
        wide = Map(_rounded(rng, _log_uniform(rng, 64, CHANNELS[1])), rng.randint(2, 10))
        linear = Step("linear", _rounded(rng, _log_uniform(rng, 64, CHANNELS[1])))
        return Chain(wide, (Step("global_pool"), linear))
    return Chain(_draw_map(rng, limits), ())


def _draw_map(rng: random.Random, limits: Limits) -> Map:
    most = min(SIDES[1], math.isqrt(limits.elements // CHANNELS[0]))
    side = round(_log_uniform(rng, SIDES[0], most))
    most = min(CHANNELS[1], limits.elements // side**2)
    return Map(_rounded(rng, _log_uniform(rng, CHANNELS[0], max(CHANNELS[0], most))), side)


def _draw_step(rng: random.Random, taken: Map, without: Collection[str], limits: Limits) -> Step | None:
    shares = {kind: share for kind, share in _SHARES.items() if kind not in without}
    for _ in range(_TRIES):
        (kind,) = rng.choices(list(shares), list(shares.values()))
        if (kind in ON_VECTORS) != (taken.side == 0) and kind not in (*UNARY, *BINARY):
            continue
        step = _shaped(rng, kind, taken)
        if _fits(step, taken, limits):
            return step
    return None


def _shaped(rng: random.Random, kind: str, taken: Map) -> Step:
    """Return a step of this kind with a window, stride and channels of its own."""
    if kind in ("conv", "residual", "depthwise", "dynamic_conv"):
        windows = _WINDOWS.get(kind) or _OTHER_WINDOWS[kind]
        (window,) = rng.choices(list(windows), list(windows.values()))
        may_stride = kind in ("conv", "depthwise") and taken.side > 3
        stride = 2 if may_stride and rng.random() < (0.3 if window > 1 else 0.06) else 1
        channels = taken.channels if kind in ("residual", "depthwise") else _draw_channels(rng, taken)
        return Step(kind, channels, window, stride, _draw_act(rng))
    if kind in POOLS:
        return Step(kind, 0, rng.choice((2, 3)), 2)
    if kind == "transposed_conv":
        return Step(kind, _draw_channels(rng, taken), 2)
    if kind in ON_VECTORS:
        return Step(kind, _rounded(rng, _log_uniform(rng, 8, 1600)), 1, 1, rng.choice(("none", "relu")))
    return Step(kind)


def _fits(step: Step, taken: Map, limits: Limits) -> bool:
    left = step.out(taken)
    is_small = step.kind in ("attention", "softmax")
    return (
        left.elements <= limits.elements
        and step.macs(taken) <= _MOST_MACS
        and step.weights(taken) <= limits.weights
        and 1 <= left.channels <= CHANNELS[1]
        and (step.kind not in POOLS or taken.side >= 4)
        and (step.kind not in (*SAME, *ENDS) or taken.side >= 2)
        and (step.kind != "selective_kernel" or taken.channels % 32 == 0)
        and (not is_small or taken.side <= 16)
    )


def _draw_channels(rng: random.Random, taken: Map) -> int:
    factor = _log_uniform(rng, 1 / 7, 7)
    return _rounded(rng, min(CHANNELS[1], max(CHANNELS[0], taken.channels * factor)))


def _draw_act(rng: random.Random) -> str:
    return rng.choices(("none", "relu", "relu6", "hardswish"), (0.36, 0.26, 0.22, 0.16))[0]


def _near(rng: random.Random, channels: int) -> int:
    return max(1, _rounded(rng, channels * math.exp(rng.uniform(-0.25, 0.25)))) if channels > 4 else channels


def _rounded(rng: random.Random, channels: float) -> int:
    """Return a multiple of 8, as most networks have; now and then any number."""
    return max(8, round(channels / 8) * 8) if rng.random() < 0.85 else max(1, round(channels))


def _log_uniform(rng: random.Random, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def hardest(ops: Sequence[tuple[Op, float]], most: int) -> list[Op]:
    """Return the ops whose time is predicted worst, in ms, at most ``most`` of them, without doubles.

    Args:
        ops: each with how far off its prediction is, ms.
    """
    ranked = sorted(ops, key=lambda one: -one[1])
    return list(dict.fromkeys(op for op, _ in ranked if op.window))[:most]
