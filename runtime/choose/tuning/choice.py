"""Find the setting that is best by a goal, with few questions to the latency model.

Inside one cluster latency falls as the clock rises, so a bisection over its OPPs finds the slowest
clock that meets the deadline. Nothing else is monotone: some OPPs cost more per frame than a faster
one does (the kernel's energy model calls them inefficient), and a cap on power or energy refuses
clocks anywhere. So all clocks from that one up are compared, and then the winners of the clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.choose.policy.estimate import Estimate, Model, Option
from runtime.choose.policy.goal import Goal


@dataclass(frozen=True)
class Choice:
    """The outcome of a search.

    Attributes:
        chosen: the best that meets the goal; where none does, the fastest within the goal's limits, or
            the one nearest to them.
        meets_goal: whether it keeps the deadline, the cap and the budget.
        winners: the best of each ladder that has one, the best first.
        losers: of each other ladder what comes nearest.
        calls: how often the latency model was asked.
    """

    chosen: Estimate
    meets_goal: bool
    winners: tuple[Estimate, ...]
    losers: tuple[Estimate, ...]
    calls: int


def choose(options: Iterable[Option], model: Model, goal: Goal) -> Choice:
    """Return the option that is best by ``goal``.

    Exact where latency falls with the clock inside a ladder (one variant, cluster and number of
    threads); whatever the model says elsewhere, no option is accepted whose own bound misses. A
    ladder of n clocks costs at most ceil(log2(n)) + 1 calls of ``model``; one more where nothing
    meets a goal with a cap or a budget.

    Args:
        options: what may be chosen.
        model: returns one estimate per option asked.

    Raises:
        ValueError: there are no options.
    """
    winners, losers, calls = [], [], 0
    for ladder in _ladders(options):
        estimates, asked = _climb(ladder, model, goal.latency_limit_ms)
        calls += asked
        accepted = [estimate for estimate in estimates if goal.is_met(estimate)]
        if accepted:
            winners.append(min(accepted, key=goal.order))
            continue
        if goal.is_capped and len(estimates) < len(ladder):
            estimates, calls = model(ladder), calls + 1  # a slower clock may keep to the cap
        losers.append(min(estimates, key=goal.next_best))
    if not winners and not losers:
        raise ValueError("there is no setting to choose from; bench some first: edgekit bench BUNDLE")
    winners.sort(key=goal.order)
    losers.sort(key=goal.next_best)
    return Choice((winners or losers)[0], bool(winners), tuple(winners), tuple(losers), calls)


def _ladders(options: Iterable[Option]) -> list[list[Option]]:
    ladders: dict[tuple[str, str, int], list[Option]] = {}
    for option in options:
        setting = option.setting
        ladders.setdefault((option.variant, setting.cluster, setting.threads), []).append(option)
    return [sorted(ladder, key=lambda option: option.setting.freq_khz or 0) for ladder in ladders.values()]


def _climb(ladder: Sequence[Option], model: Model, limit_ms: float) -> tuple[Sequence[Estimate], int]:
    """Return estimates from the slowest clock that may meet the deadline up to the fastest."""
    low, high, calls = 0, len(ladder) - 1, 1
    while low < high:
        middle = (low + high) // 2
        (estimate,) = model(ladder[middle : middle + 1])
        calls += 1
        if estimate.latency_high_ms <= limit_ms:
            high = middle
        else:
            low = middle + 1
    return model(ladder[low:]), calls
