import itertools

import numpy as np
import pytest

from edgekit.search.placement import best_subset


def brute_force(costs, benefits, budget):
    subsets = itertools.chain.from_iterable(
        itertools.combinations(range(len(costs)), n) for n in range(len(costs) + 1)
    )
    fitting = [s for s in subsets if sum(costs[i] for i in s) <= budget + 1e-12]
    return max(sum(benefits[i] for i in s) for s in fitting)


@pytest.mark.parametrize("seed", range(20))
def test_it_finds_what_trying_all_subsets_finds(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 11))
    costs = rng.integers(0, 40, count) / 100  # multiples of the budget's steps: no rounding
    benefits = rng.random(count)
    chosen = best_subset(costs, benefits, 1.0)
    assert sum(costs[list(chosen)]) <= 1.0 + 1e-12
    assert sum(benefits[list(chosen)]) == pytest.approx(brute_force(costs, benefits, 1.0))


@pytest.mark.parametrize("seed", range(5))
def test_costs_of_any_size_stay_within_the_budget_and_near_the_best(seed):
    rng = np.random.default_rng(seed)
    costs, benefits = rng.random(10), rng.random(10)
    chosen = list(best_subset(costs, benefits, 1.7))
    assert sum(costs[chosen]) <= 1.7
    assert sum(benefits[chosen]) >= brute_force(costs, benefits, 1.7 * (1 - 10 / 10_000)) - 1e-9


def test_free_items_are_taken_and_worthless_ones_are_not():
    assert best_subset([0.0, -1.0, 0.0, 5.0], [1.0, 1.0, 0.0, 9.0], 4.0) == (0, 1)


def test_without_a_budget_only_free_items_are_taken():
    assert best_subset([0.0, 0.1], [1.0, 9.0], 0.0) == (0,)


def test_nothing_fits():
    assert best_subset([2.0], [1.0], 1.0) == ()
    assert best_subset([], [], 1.0) == ()


@pytest.mark.parametrize(
    ("costs", "benefits", "budget"), [([1.0], [], 1.0), ([1.0], [1.0], -1.0), ([float("nan")], [1.0], 1.0)]
)
def test_bad_numbers_are_refused(costs, benefits, budget):
    with pytest.raises(ValueError, match=r"give one of each|must be finite"):
        best_subset(costs, benefits, budget)
