"""What blocks cost at their places, and the best that a budget has room for."""

import itertools

import numpy as np
import pytest
import torch

from edgekit.models import ModelSpec, build_model
from edgekit.search.blocks import space_of, timing_on
from edgekit.search.blocks.costs import BlockCosts, best_choices, measure_costs
from edgekit.search.blocks.plan import SearchPlan
from runtime.errors import NotFittedError


def test_places_that_keep_their_shape_may_be_skipped_and_the_first_stays():
    space = space_of(ModelSpec("mobilenet_v2"), ("k3e3", "k5e6"))
    assert space.candidates[:3] == (("own",), ("k3e3", "k5e6"), ("k3e3", "k5e6", "skip"))
    with pytest.raises(ValueError, match="are chosen already"):
        space_of(space.spec_of([names[0] for names in space.candidates]))


def test_costs_of_blocks_add_up_to_the_latency_of_the_network_on_a_virtual_target():
    spec = ModelSpec("mobilenet_v3_small", num_classes=4, width=0.25, image_size=32)
    space, timing = space_of(spec, ("k3e2", "k5e3")), timing_on("virtual:sdm845", cluster="little")
    costs = measure_costs(space, timing)
    rng, example = np.random.default_rng(0), torch.zeros(1, 3, 32, 32)
    choices = [names[rng.integers(len(names))] for names in space.candidates]
    network = build_model(space.spec_of(choices))
    assert costs.latency_ms(choices) == pytest.approx(timing.latency_ms(network, example))
    assert costs.own_ms == pytest.approx(timing.latency_ms(build_model(spec), example))
    assert costs.least_ms < costs.latency_ms(choices)
    assert timing.provenance == "modelled"
    assert timing.setting.cluster == "little"


def test_what_a_frame_takes_beside_its_ops_is_part_of_the_base(spec, timing):
    space = space_of(spec, ("k3e1", "k5e2"))
    costs = measure_costs(space, timing)
    assert costs.own_ms == pytest.approx(timing.latency_ms(build_model(spec), torch.zeros(1, 1, 8, 8)))
    assert all(place.get("skip", 0.0) == 0.0 for place in costs.places)


@pytest.mark.parametrize("budget", [6.0, 7.5, 10.0, 20.0])
def test_the_best_blocks_within_a_budget_are_those_of_trying_all(budget):
    rng = np.random.default_rng(1)
    costs = BlockCosts(1.0, tuple({n: float(rng.uniform(0.5, 3)) for n in "abc"} for _ in range(4)), 9.0)
    worth = [{n: float(rng.normal()) for n in "abc"} for _ in range(4)]
    within = [c for c in itertools.product("abc", repeat=4) if costs.latency_ms(c) <= budget]
    best = max(within, key=lambda c: sum(w[n] for w, n in zip(worth, c, strict=True)))
    assert best_choices(worth, costs, budget) == best


def test_a_budget_below_the_fastest_network_says_the_least_that_can_be():
    costs = BlockCosts(1.0, ({"a": 2.0, "b": 3.0},), 4.0)
    with pytest.raises(ValueError, match=r"2 ms cannot be met: the fastest blocks make 3 ms"):
        best_choices([{"a": 0.0, "b": 0.0}], costs, 2.0)
    assert best_choices([{"a": 0.0, "b": 1.0}], costs, 3.0) == ("a",)


def test_a_real_target_needs_kernels_that_were_timed_on_it(tmp_path):
    with pytest.raises(NotFittedError, match="edgekit fit --kernels --target local"):
        timing_on("local")
    with pytest.raises(NotFittedError, match="there are no kernels"):
        timing_on("local", kernels=tmp_path / "kernels.edgekit")


@pytest.mark.parametrize(
    "change",
    [
        {"shares": (1.0,)},
        {"shares": (0.25, 0.5, 0.25, 0.75, 1.0)},
        {"shares": (0.25, 0.25, 0.5, 0.75, 0.9)},
        {"tau": 1.0},
        {"every": 0},
        {"candidates": ("k3e3", "k3e3")},
        {"validation": 0.0},
    ],
    ids=str,
)
def test_plans_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=r"give|go from|must be"):
        SearchPlan(**change)


@pytest.mark.parametrize("total", [5, 6, 13, 26, 100])
def test_all_epochs_are_given_to_stages_and_each_has_one(total):
    epochs = SearchPlan().epochs(total)
    assert sum(epochs) == total
    assert min(epochs) >= 1
