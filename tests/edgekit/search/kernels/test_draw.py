"""Graphs of kernels: within their ranges, near what is asked, no kind left to luck, as large as networks."""

import random
from collections import Counter

import pytest
import torch

from edgekit.search.kernels.chain import APART, LONE, STEPS, Chain, Map, Step
from edgekit.search.kernels.draw import draw_chain, draw_graph, draw_near, hardest, kernels_per_graph
from edgekit.search.kernels.modules import build_graph, module_of
from edgekit.search.kernels.turns import turns_of
from runtime.bundle.workload import Op

CONV = Op("c", "conv2d", 28 * 28 * 64 * 128, 1, 1, channels_out=128, channels_in=64, window=1)


def drawn(count, **options):
    return [draw_chain(random.Random(seed), **options) for seed in range(count)]


def test_the_same_seed_draws_the_same_chain():
    assert drawn(5) == drawn(5)
    assert len(set(drawn(20))) == 20


def graphs(seed, most=2000, **options):
    """Return graphs of about ``most`` kernels in all, as a sample draws them."""
    found, have, kernels = [], 0, kernels_per_graph(most)
    while have < most:
        rng, turns = random.Random(f"{seed}/{len(found)}"), turns_of(len(found), kernels, most)
        found.append(draw_graph(rng, kernels, turns, **options))
        have += sum(chain.kernels for chain in found[-1])
    return found


def count(graphs):
    return Counter(
        f"depthwise {step.window}" if step.kind == "depthwise" else step.kind
        for graph in graphs
        for chain in graph
        for step in chain.steps
    )


def test_kernels_stay_within_what_a_phone_runs():
    for chain in (chain for graph in graphs(0) for chain in graph):
        for step, taken in zip(chain.steps, chain.maps()[:-1], strict=True):
            assert step.macs(taken) <= 160e6
            assert step.out(taken).elements <= 1.4e6
            assert step.weights(taken) <= 9e6


# Fewer of these steps are enough: their ops are of kinds that others are made of, too, or several of a kind.
OF_KNOWN_KINDS = {
    *("dynamic_conv", "dynamic_relu", "selective_kernel", "squeeze_excite", "attention", "linear_softmax"),
    *("elu", "silu", "hardsigmoid", "softmax", "slice", "concat", "mul", "add", "layer_norm"),
}


@pytest.mark.parametrize("seed", range(6))
def test_every_kind_is_drawn_often_enough_to_be_known_whatever_the_seed(seed):
    found = count(graphs(seed))
    assert {kind.split()[0] for kind in found} == set(STEPS)
    assert {kind: n for kind, n in found.items() if n < 12 and kind not in OF_KNOWN_KINDS} == {}
    assert min(found["depthwise 3"], found["depthwise 5"]) > 50
    assert found["conv"] > 250


def test_kernels_drawn_where_errors_are_take_no_turn_from_any_kind():
    found = count(graphs(0, hard=[CONV]))
    assert {kind: n for kind, n in found.items() if n < 12 and kind not in OF_KNOWN_KINDS} == {}


def test_fewer_kernels_are_of_fewer_kinds_but_of_each_enough():
    found = count(graphs(0, most=200))
    assert 5 <= len(found) <= 25
    turns = Counter(
        step.kind for number in range(13) for step in turns_of(number, kernels_per_graph(200), 200)
    )
    assert min(turns.values()) >= 5  # fewer are not learnt


@pytest.mark.parametrize("most", [200, 300, 450, 1000])
def test_few_kernels_are_in_as_many_graphs_as_learning_needs(most):
    assert all(len(graphs(seed, most)) > 10 for seed in range(5))


def test_none_is_drawn_that_cannot_be_built():
    assert not {"gelu", "attention"} & set(count(graphs(0, without=("gelu", "attention"))))
    assert not {"global_pool", "linear"} & set(count(graphs(0, without=("global_pool",))))


def test_graphs_are_as_large_as_networks_and_no_two_alike():
    bytes_mb = sorted(4e-6 * sum(chain.weights for chain in graph) for graph in graphs(1) + graphs(2))
    assert bytes_mb[0] < 2 < 4 < bytes_mb[len(bytes_mb) // 2]  # a MobileNetV2 has 14, the caches of a core 1
    assert bytes_mb[-1] > 25


def test_a_relu_stands_where_no_engine_makes_it_a_part_of_the_op_before_it():
    for chain in (chain for graph in graphs(3) for chain in graph):
        for before, step in zip(chain.steps, chain.steps[1:], strict=False):
            assert step.kind not in LONE or before.kind in APART


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
    windows = {"conv": 3, "depthwise": 3, "residual": 3, "max_pool": 3, "avg_pool": 3, "transposed_conv": 4}
    step = Step(kind, 48, windows.get(kind, 1), 2 if kind in ("max_pool", "avg_pool") else 1)
    x = torch.randn((1, 32, 8, 8) if taken.side else (1, 32))
    with torch.no_grad():
        y = module_of(step, taken).eval()(x)
    left = step.out(taken)
    assert y.shape == ((1, left.channels, left.side, left.side) if left.side else (1, left.channels))


def test_numbers_neither_fade_nor_grow_along_a_chain():
    chain = Chain(Map(16, 8), tuple(Step("conv", 16, 3, 1, "relu") for _ in range(30)))
    graph, example = build_graph([chain], seed=0)
    with torch.no_grad():
        (y,) = graph(*example)
    assert 0.01 < float(y.abs().mean()) < 100


def test_first_and_last_layers_are_drawn_as_networks_have_them():
    """A first convolution makes up to 64 channels of three; a head's weights fill a core's cache."""
    steps = [
        (step, taken)
        for graph in graphs(0)
        for chain in graph
        for step, taken in zip(chain.steps, chain.maps(), strict=False)
    ]
    stems = [step for step, taken in steps if (step.kind, taken.channels) == ("conv", 3)]
    assert {step.window for step in stems} >= {3, 7}
    assert max(step.channels for step in stems) > 48
    assert sum(4 * step.weights(taken) > 1e6 for step, taken in steps if step.kind == "linear") >= 5
