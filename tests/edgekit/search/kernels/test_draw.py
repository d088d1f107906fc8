"""Chains of kernels: within their ranges, near what is asked, and of the size that they say."""

import random

import pytest
import torch

from edgekit.search.kernels.chain import STEPS, Chain, Map, Step
from edgekit.search.kernels.draw import draw_chain, draw_near, hardest
from edgekit.search.kernels.modules import build_graph, module_of
from runtime.bundle.workload import Op

CONV = Op("c", "conv2d", 28 * 28 * 64 * 128, 1, 1, channels_out=128, channels_in=64, window=1)


def drawn(count, **options):
    return [draw_chain(random.Random(seed), **options) for seed in range(count)]


def test_the_same_seed_draws_the_same_chain():
    assert drawn(5) == drawn(5)
    assert len(set(drawn(20))) == 20


def test_kernels_stay_within_what_a_phone_runs():
    for chain in drawn(300):
        for step, taken in zip(chain.steps, chain.maps()[:-1], strict=True):
            assert step.macs(taken) <= 160e6
            assert step.out(taken).elements <= 1.4e6
            assert step.weights(taken) <= 9e6


def test_every_kind_is_drawn_and_none_that_cannot_be_built():
    assert {step.kind for chain in drawn(1500) for step in chain.steps} == set(STEPS)
    without = drawn(300, without=("gelu", "attention"))
    assert not {"gelu", "attention"} & {step.kind for chain in without for step in chain.steps}


def test_a_chain_near_an_op_begins_with_one_of_its_kind_and_about_its_size():
    for seed in range(50):
        chain = draw_near(random.Random(seed), CONV)
        step, taken = chain.steps[0], chain.start
        assert (step.kind, step.window) == ("conv", 1)
        assert 64 / 1.5 < taken.channels < 64 * 1.5
        assert 0.4 < step.macs(taken) / CONV.macs < 2.5


def test_an_op_of_unknown_shape_has_no_neighbours():
    assert draw_near(random.Random(0), Op("a", "elementwise", 1, 1, 1)) is None
    assert draw_near(random.Random(0), CONV, without=("conv",)) is None


def test_the_hardest_are_those_that_cost_most_once_each():
    other = Op("d", "depthwise_conv2d", 9, 1, 1, channels_out=1, channels_in=1, window=9)
    ops = [(CONV, 0.1), (other, 0.5), (CONV, 0.3), (Op("a", "elementwise", 1, 1, 1), 9.0)]
    assert hardest(ops, 5) == [other, CONV]
    assert hardest(ops, 1) == [other]


@pytest.mark.parametrize("kind", STEPS)
def test_every_step_takes_and_leaves_the_map_that_it_says(kind):
    taken = Map(32, 0 if kind.startswith("linear") else 8)
    step = Step(kind, 48, 3 if kind in ("conv", "depthwise", "residual") else 2 if "pool" in kind else 1)
    step = Step(kind, 48, step.window, 2 if kind in ("max_pool", "avg_pool") else 1)
    x = torch.randn((1, 32, 8, 8) if taken.side else (1, 32))
    with torch.no_grad():
        y = module_of(step, taken).eval()(x)
    left = step.out(taken)
    if kind == "max_pool":  # padded, so that it may be one larger
        assert y.shape[2] in (left.side, left.side + 1)
    else:
        assert y.shape == ((1, left.channels, left.side, left.side) if left.side else (1, left.channels))


def test_numbers_neither_fade_nor_grow_along_a_chain():
    chain = Chain(Map(16, 8), tuple(Step("conv", 16, 3, 1, "relu") for _ in range(30)))
    graph, example = build_graph([chain], seed=0)
    with torch.no_grad():
        (y,) = graph(*example)
    assert 0.01 < float(y.abs().mean()) < 100
