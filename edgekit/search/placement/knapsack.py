"""The subset of greatest benefit whose costs fit into a budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STEPS = 10_000


def best_subset(costs: Sequence[float], benefits: Sequence[float], budget: float) -> tuple[int, ...]:
    """Return the indices, ascending, of the subset with the greatest sum of benefits within ``budget``.

    Solved by dynamic programming over the budget in steps of a ten-thousandth. Costs are rounded up
    to a step, so the result never exceeds the budget and is optimal to within that rounding. Of two
    subsets of equal benefit the one that was found first, with the cheaper total, is taken.

    Args:
        costs: any unit; one of zero or below is taken for free if its benefit is above zero.
        benefits: of the same length.
        budget: in the unit of ``costs``.

    Raises:
        ValueError: lengths differ, a number is not finite, or the budget is negative.

    Example:
        >>> best_subset([1.0, 2.0, 3.0], [6.0, 10.0, 12.0], 5.0)
        (1, 2)
    """
    if len(costs) != len(benefits):
        raise ValueError(f"{len(costs)} costs and {len(benefits)} benefits; give one of each per item")
    if not np.isfinite([*costs, *benefits, budget]).all() or budget < 0:
        raise ValueError(f"budget is {budget}; it and all costs and benefits must be finite, the budget >= 0")
    step = budget / STEPS or 1.0
    # The tolerance keeps a cost of exactly k steps at k, whatever the division makes of it.
    sizes = [max(0, int(np.ceil(cost / step - 1e-9))) for cost in costs]
    best = np.zeros(STEPS + 1)  # best[s]: the greatest benefit within s steps
    taken = np.zeros((len(sizes), STEPS + 1), dtype=bool)
    for i, (size, benefit) in enumerate(zip(sizes, benefits, strict=True)):
        if size > (STEPS if budget > 0 else 0):
            continue
        with_item = best[: STEPS + 1 - size] + benefit
        taken[i, size:] = with_item > best[size:] + 1e-12
        best[size:] = np.where(taken[i, size:], with_item, best[size:])
    # The smallest capacity with the greatest benefit: no step is spent for nothing.
    left = int(np.argmax(best >= best[-1] - 1e-12))
    chosen = []
    for i in reversed(range(len(sizes))):
        if taken[i, left]:
            chosen.append(i)
            left -= sizes[i]
    return tuple(reversed(chosen))
