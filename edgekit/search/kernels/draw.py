"""Draw graphs of kernels: shapes from the ranges that networks for phones have, never a network's own.

A graph is as large as a network and built like one: large maps first, most weights on small ones. A kernel
in it finds its input and its weights in the caches where it would find them in a network.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence

from edgekit.search.kernels.chain import ON_VECTORS, Chain, Map, Step
from edgekit.search.kernels.shapes import (
    CHANNELS,
    ELEMENTS,
    RANGES,
    WEIGHTS,
    Limits,
    draw_act,
    draw_deep_map,
    draw_large_map,
    draw_map,
    fits,
    log_uniform,
    near,
    rounded,
    shape_step,
    stays_alone,
)
from runtime.bundle.workload import Op

_FULL = 60  # kernels of a graph, as many as a small network has; fewer may hold fewer weights
_FEWEST_GRAPHS = 28  # that are planned: small graphs come out twice as large
_NEARLY = 8  # kernels that a graph may have fewer: a chain more would be more than one too many
_STEPS_PER_CHAIN = (11, 18)
_STEPS_AFTER = (4, 8)  # one that was asked for
_STEPS_ON_VECTOR = (0, 2)
# The part of a network that a graph begins with: its first layers, any, or its last, which hold most weights.
_PARTS = {"large": 0.55, "any": 0.2, "deep": 0.25}
_FEW_WEIGHTS = 8000  # per kernel: where a graph lacks fewer, what comes next may be any part
_STEMS, _HEADS = 0.5, 0.12  # of the chains that begin as first layers or any part; as the last or any part
_STEM_WINDOWS, _STEM_STRIDES = {3: 0.55, 5: 0.1, 7: 0.35}, 0.75
_STEM_CHANNELS, _HEAD_CHANNELS = (8, 96), (160, CHANNELS[1])
_ENDS = 0.6  # of the chains end as networks do, in a vector
# How often a step is drawn where none has its turn: convolutions take most of a network's time.
_SHARES = {
    "conv": 60, "depthwise": 18, "residual": 7, "squeeze_excite": 2, "global_pool": 2, "linear": 2,
    "hardswish": 1.5,
}  # fmt: skip
_TURNS = 0.5  # of the steps, as long as there are any left
_TRIES = 200


def kernels_per_graph(most: int) -> int:
    """Return about how many kernels a graph has where ``most`` are timed: learning needs a dozen graphs."""
    return min(_FULL, most // _FEWEST_GRAPHS)


def draw_graph(
    rng: random.Random,
    kernels: int,
    turns: Sequence[Step] = (),
    without: Collection[str] = (),
    hard: Sequence[Op] = (),
) -> list[Chain]:
    """Return chains that one graph runs one after the other.

    Args:
        rng: where chance comes from.
        kernels: about how many the graph has.
        turns: steps that it has in any case, in places where they fit.
        without: kinds of steps that the engine cannot build.
        hard: two of three chains begin with a kernel much like one of these.
    """
    cannot = {*without, *(ON_VECTORS if "global_pool" in without else ())}  # nothing else leaves a vector
    waiting = [step for step in turns if step.kind not in cannot]
    rng.shuffle(waiting)
    elements = round(log_uniform(rng, *ELEMENTS))
    weights = round(log_uniform(rng, *WEIGHTS) * min(1.0, kernels / _FULL))
    chains: list[Chain] = []
    while not chains or kernels > _NEARLY:
        limits = Limits(elements, max(weights, WEIGHTS[0] // 10), max(kernels, _NEARLY))
        start = draw_near(rng, rng.choice(hard), without) if hard and len(chains) % 3 < 2 else None
        if start is None:
            lacks = weights / kernels
            part = "deep" if lacks > _FEW_WEIGHTS else "any"
            if not chains:
                (part,) = rng.choices(list(_PARTS), list(_PARTS.values()))
            start = _draw_start(rng, part, without, limits, lacks)
        chain = draw_chain(rng, without, start, limits, waiting)
        chains.append(chain)
        kernels -= chain.kernels
        weights -= chain.weights
    while waiting:
        chains.append(_draw_waiting(rng, waiting, Limits(elements)))
    return chains


def draw_chain(
    rng: random.Random,
    without: Collection[str] = (),
    start: Chain | None = None,
    limits: Limits = RANGES,
    waiting: list[Step] | None = None,
) -> Chain:
    """Return a chain of one or two dozen steps, or of a few after those of ``start``.

    Args:
        rng, without: see ``draw_graph``.
        start: begins the chain; default: a map drawn from the ranges.
        waiting: steps that have their turn; those that find a place are taken out.
    """
    chain = start or Chain(draw_map(rng, limits), ())
    steps, taken = list(chain.steps), chain.maps()[-1]
    left = limits.weights - chain.weights
    some = rng.randint(*_STEPS_AFTER) if steps else rng.randint(*_STEPS_PER_CHAIN)
    count = len(steps) + min(some, limits.steps)
    while len(steps) < count:
        now, before = Limits(limits.elements, left), steps[-1] if steps else None
        step = _take_turn(rng, waiting, taken, before, now) if waiting and rng.random() < _TURNS else None
        step = step or _draw_step(rng, taken, without, now)
        if step is None:
            break
        steps.append(step)
        left -= step.weights(taken)
        taken = step.out(taken)
        if step.kind == "global_pool":
            count = len(steps) + rng.randint(*_STEPS_ON_VECTOR)
    if taken.side >= 2 and rng.random() < _ENDS and "global_pool" not in without:
        steps.append(Step("global_pool"))
        end = None if waiting is None else _take_turn(rng, waiting, steps[-1].out(taken), None, limits)
        steps += [] if end is None else [end]
    return Chain(chain.start, tuple(steps))


def draw_near(rng: random.Random, op: Op, without: Collection[str] = ()) -> Chain | None:
    """Return a chain that begins with a kernel much like ``op``; ``None``: of unknown shape, or too large."""
    if not (op.channels_out and op.channels_in and op.window):
        return None
    positions = op.macs / (op.channels_out * op.channels_in * op.window)
    channels = near(rng, op.channels_in if op.kind != "depthwise_conv2d" else op.channels_out)
    if op.kind == "linear" and positions <= 1:
        steps = (Step("global_pool"), Step("linear", near(rng, op.channels_out)))
        start = Map(channels, rng.randint(2, 8))
    else:
        window = round(math.sqrt(op.window))
        is_depthwise = op.kind == "depthwise_conv2d"
        stride = 2 if window > 1 and rng.random() < 0.25 else 1
        side = max(1, round(math.sqrt(positions) * stride * math.exp(rng.uniform(-0.2, 0.2))))
        start = Map(channels, side)
        left = 0 if is_depthwise else near(rng, op.channels_out)
        steps = (Step("depthwise" if is_depthwise else "conv", left, window, stride, draw_act(rng)),)
    taken = start
    for step in steps:
        if step.kind in without or not fits(step, taken, RANGES):
            return None
        taken = step.out(taken)
    return Chain(start, steps)


def _draw_start(
    rng: random.Random, part: str, without: Collection[str], limits: Limits, weights_per_kernel: float
) -> Chain:
    """Return how a chain begins: as a part of a network, as its stem, or as its head."""
    which = rng.random()
    if part == "large":
        return _draw_stem(rng, without, limits) if which < _STEMS else Chain(draw_large_map(rng, limits), ())
    if which < _HEADS and not {"global_pool", "linear"} & set(without):
        wide = Map(rounded(rng, log_uniform(rng, *_HEAD_CHANNELS)), rng.randint(2, 10))
        linear = Step("linear", rounded(rng, log_uniform(rng, *_HEAD_CHANNELS)))
        return Chain(wide, (Step("global_pool"), linear))
    if part == "deep":
        return Chain(draw_deep_map(rng, limits, max(1.0, weights_per_kernel)), ())
    if which < _HEADS + _STEMS:
        return _draw_stem(rng, without, limits)
    return Chain(draw_map(rng, limits), ())


def _draw_stem(rng: random.Random, without: Collection[str], limits: Limits) -> Chain:
    """Return a picture, padded or not, and the convolution that makes many channels of its three.

    One of a wide window is followed by a pool, as in ResNets.
    """
    for _ in range(_TRIES):
        start = Map(3, min(rng.randint(32, 256), math.isqrt(limits.elements // 3)))
        pad = rng.random() < 0.5 and "pad" not in without
        window = rng.choices(list(_STEM_WINDOWS), list(_STEM_WINDOWS.values()))[0]
        channels = rounded(rng, log_uniform(rng, *_STEM_CHANNELS))
        conv = Step("conv", channels, window, 2 if rng.random() < _STEM_STRIDES else 1, draw_act(rng))
        steps = [Step("pad")] if pad else []
        if "conv" not in without:
            steps.append(conv)
        if window == 7 and "max_pool" not in without:
            steps.append(Step("max_pool", 0, 3, 2))
        chain = Chain(start, tuple(steps))
        if all(fits(*one, limits) for one in zip(chain.steps, chain.maps(), strict=False)):
            return chain
    return Chain(draw_map(rng, limits), ())


def _draw_step(rng: random.Random, taken: Map, without: Collection[str], limits: Limits) -> Step | None:
    shares = {kind: share for kind, share in _SHARES.items() if kind not in without}
    for _ in range(_TRIES if shares else 0):
        (kind,) = rng.choices(list(shares), list(shares.values()))
        step = shape_step(rng, Step(kind), taken)
        if fits(step, taken, limits):
            return step
    return None


def _take_turn(
    rng: random.Random, waiting: list[Step], taken: Map, before: Step | None, limits: Limits
) -> Step | None:
    """Take the first of ``waiting`` out that fits here."""
    for place, one in enumerate(waiting):
        step = shape_step(rng, one, taken)
        if fits(step, taken, limits) and stays_alone(step, before):
            del waiting[place]
            return step
    return None


def _draw_waiting(rng: random.Random, waiting: list[Step], limits: Limits) -> Chain:
    """Take the first of ``waiting`` out, and all that fit behind it, into a chain of their own."""
    for _ in range(_TRIES):
        start = draw_map(rng, limits)
        steps = [Step("global_pool")] if waiting[0].kind in ON_VECTORS else []
        taken = Chain(start, tuple(steps)).maps()[-1]
        if fits(shape_step(rng, waiting[0], taken), taken, limits):
            break
    else:
        raise AssertionError(f"no map of {limits} takes {waiting[0]}")
    while (step := _take_turn(rng, waiting, taken, steps[-1] if steps else None, limits)) is not None:
        steps.append(step)
        taken = step.out(taken)
    return Chain(start, tuple(steps))


def hardest(ops: Sequence[tuple[Op, float]], most: int) -> list[Op]:
    """Return the ops whose time is predicted worst, in ms, at most ``most`` of them, without doubles.

    Args:
        ops: each with how far off its prediction is, ms.
    """
    ranked = sorted(ops, key=lambda one: -one[1])
    return list(dict.fromkeys(op for op, _ in ranked if op.window))[:most]
