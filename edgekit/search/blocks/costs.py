"""What each candidate adds to the latency where it stands, and the best blocks that a budget has room for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from edgekit.models import build_model
from edgekit.models.choices import OWN, SKIP
from edgekit.search.blocks.space import Space
from edgekit.search.blocks.timing import Timing, is_of_place

STEPS = 10_000  # that a budget is cut into
_NO_MS = 1e-9  # of a budget that only the fastest blocks meet


@dataclass(frozen=True)
class BlockCosts:
    """Latencies in ms.

    Attributes:
        base_ms: of what stands around the blocks.
        places: of each candidate of each place.
        own_ms: of the network with its own blocks.
    """

    base_ms: float
    places: tuple[Mapping[str, float], ...]
    own_ms: float

    def latency_ms(self, choices: Sequence[str]) -> float:
        """Return the latency of the network with these blocks."""
        return self.base_ms + sum(costs[choice] for costs, choice in zip(self.places, choices, strict=True))

    @property
    def least_ms(self) -> float:
        """The latency of the fastest network of the space."""
        return self.base_ms + sum(min(costs.values()) for costs in self.places)


def measure_costs(
    space: Space, timing: Timing, progress: Callable[[str], None] = lambda line: None
) -> BlockCosts:
    """Return what candidates take, each at its place in a network that has it wherever it can stand.

    A handful of exports tell all places: a frame's latency is the sum of its ops'.

    Raises:
        ExportError: a network cannot be exported.
        NotFittedError: it has ops of a kind that was never timed.
    """
    spec = space.spec
    example = torch.zeros(1, spec.in_channels, spec.image_size, spec.image_size)
    places: list[dict[str, float]] = [{SKIP: 0.0} if SKIP in names else {} for names in space.candidates]
    base_ms = own_ms = 0.0
    kinds = dict.fromkeys([OWN, *(name for names in space.candidates for name in names if name != SKIP)])
    for kind in kinds:
        progress(f"predicting the latency of {kind} blocks on {timing.target}")
        choices = [kind if kind in names else OWN for names in space.candidates]
        with torch.random.fork_rng(devices=[]):
            network = build_model(space.spec_of(choices))
        ops = timing.workload(network, example)
        latencies_ms = timing.latencies_ms(ops)
        of_place = [0.0] * len(places)
        for op, latency_ms in zip(ops.ops, latencies_ms, strict=True):
            for place in range(len(places)):
                of_place[place] += latency_ms if is_of_place(op, place) else 0.0
        for place, names in enumerate(space.candidates):
            if kind in names:
                places[place][kind] = of_place[place]
        if kind == OWN:
            own_ms = sum(latencies_ms) + timing.frame_ms
            base_ms = own_ms - sum(of_place)
    in_order = ({n: costs[n] for n in names} for costs, names in zip(places, space.candidates, strict=True))
    return BlockCosts(base_ms, tuple(in_order), own_ms)


def best_choices(
    worth: Sequence[Mapping[str, float]], costs: BlockCosts, budget_ms: float
) -> tuple[str, ...]:
    """Return one block for each place: the greatest sum of ``worth`` whose latency is within the budget.

    Solved over the budget in ten thousand steps; costs are rounded up to one, so that the budget holds.

    Args:
        worth: of each candidate that is left at a place.

    Raises:
        ValueError: the fastest of them is above the budget.
    """
    least = [min(costs.places[place][name] for name in names) for place, names in enumerate(worth)]
    spare_ms = budget_ms - costs.base_ms - sum(least)
    if spare_ms < 0:
        raise ValueError(
            f"{budget_ms:.4g} ms cannot be met: the fastest blocks make {budget_ms - spare_ms:.4g} ms; ask "
            "for that or more, or make the network narrower (--width)"
        )
    step_ms = max(spare_ms, _NO_MS) / STEPS
    best = np.zeros(STEPS + 1)  # best[s]: the greatest worth within s steps above the fastest blocks
    taken: list[np.ndarray] = []
    sizes: list[list[int]] = []
    for place, names in enumerate(worth):
        above = [costs.places[place][name] - least[place] for name in names]
        # The tolerance keeps a cost of exactly k steps at k, whatever the division makes of it.
        size = [math.ceil(ms / step_ms - 1e-9) for ms in above]
        options = np.full((len(names), STEPS + 1), -np.inf)
        for row, (steps, value) in enumerate(zip(size, names.values(), strict=True)):
            if steps <= STEPS:
                options[row, steps:] = best[: STEPS + 1 - steps] + value
        taken.append(options.argmax(axis=0))
        sizes.append(size)
        best = options.max(axis=0)
    left, chosen = STEPS, []
    for names, rows, size in reversed(list(zip(worth, taken, sizes, strict=True))):
        row = int(rows[left])
        chosen.append(list(names)[row])
        left -= size[row]
    return tuple(reversed(chosen))
