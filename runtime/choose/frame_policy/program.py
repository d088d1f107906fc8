"""The cheapest way through frames whose work is known as a distribution, by dynamic programming.

State: how much of the frame is done (a bin of the ratio of its work to the level), the time since it
arrived, and the point that runs. Whether the frame ends in the next bin is chance; the choice is the point
for that bin. A frame that ends late costs a penalty, and its successor, which arrives a period later, begins
late: relative value iteration (Puterman, Markov Decision Processes, 1994, 8.5) over frames finds what that
costs in the long run. Everything is counted in periods, and in the energy of a period at the fastest point.
Between two moments of the grid the cost is interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.choose.frame_policy.frontier import Frontier
from runtime.choose.frame_policy.scatter import Scatter

# Of the grid in time, between which costs are interpolated. At 24 a table takes some hundredths of a second;
# time and memory grow with the number.
STEPS_PER_PERIOD = 24
# Periods behind the deadline that the grid covers; what lies beyond is a straight line (``slope`` below).
_BEYOND = 1.5
# Sweeps over a frame until its long-run cost moves by less than the tolerance, 0.4 % of a period at full
# power. Levels that catch up slowly do not get there and are cut off after 24: time over precision.
_SWEEPS, _TOLERANCE = 24, 4e-3
_VALUES = 16_000  # of the levels solved together: they fit into a cache, and low levels take few sweeps
# At levels near or above 1 the fastest point never catches up: the cost of delay is bounded as if it had this
# share of its time to spare, so that the sum stays finite.
_LEAST_SLACK = 0.05


@dataclass(frozen=True, eq=False)
class Choices:
    """What is best in each state; A moments of the grid, R ranks: places on the frontier, slowest first.

    Attributes:
        first: rank to begin with, shape (n_levels, A).
        keep: whether the rank that runs is kept in a bin, shape (n_bins, n_levels, A, R).
        change: rank to change to where it is not, shape (n_bins, n_levels, A).
        edges: ratios at which a frame may end.
        cost: long-run cost of a frame, by level.
    """

    first: np.ndarray
    keep: np.ndarray
    change: np.ndarray
    edges: np.ndarray
    cost: np.ndarray


@dataclass(frozen=True, eq=False)
class _Shift:
    """Looks values up later, by the time that some work takes at each rank.

    Attributes:
        at: flat index of the moment before.
        share: of the moment after.
        beyond: what the time beyond the grid costs.
        spent: energy of the work.
    """

    at: np.ndarray
    share: np.ndarray
    beyond: np.ndarray
    spent: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        flat = values.reshape(-1)
        low = flat.take(self.at)
        high = flat.take(self.at + values.shape[2])
        high -= low
        high *= self.share
        high += low
        high += self.beyond
        high += self.spent
        return high


def solve(
    points: Frontier,
    scatter: Scatter,
    levels: np.ndarray,
    *,
    deadline: float,
    miss_penalty: float,
    transition: float,
) -> Choices:
    """Return the choices of least long-run cost.

    Args:
        levels: work of an ordinary frame, as a share of what the fastest point does in a period.
        deadline: periods from a frame's arrival to when it is late.
        miss_penalty: of a late frame, in periods at the fastest point.
        transition: periods that a change of point stops the work.
    """
    count = int(np.ceil((deadline + _BEYOND) * STEPS_PER_PERIOD)) + 1
    rows = max(1, _VALUES // (count * len(points.time)))
    parts = []
    start = np.zeros((count, len(points.time)), np.float32)
    for begin in range(0, len(levels), rows):
        some = levels[begin : begin + rows]
        part, start = _solve_rows(points, scatter, some, deadline, miss_penalty, transition, start)
        parts.append(part)
    return Choices(
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.keep for part in parts], axis=1),
        np.concatenate([part.change for part in parts], axis=1),
        parts[0].edges,
        np.concatenate([part.cost for part in parts]),
    )


def _solve_rows(
    points: Frontier,
    scatter: Scatter,
    levels: np.ndarray,
    deadline: float,
    miss_penalty: float,
    transition: float,
    start: np.ndarray,
) -> tuple[Choices, np.ndarray]:
    """Return the choices, and the cost of each start at the last level, of which ``start`` is a guess."""
    edges, share = scatter.bins()
    reached = np.concatenate([[1.0], 1 - np.cumsum(share)[:-1]])
    ends = np.clip(share / np.maximum(reached, 1e-12), 0.0, 1.0).astype(np.float32)
    ends[-1] = 1.0
    time, energy = points.time / points.time[-1], points.energy / points.energy[-1]
    count = len(start)
    # Beyond the grid each period of delay makes frames late until the fastest point has caught up.
    slope = (1 + miss_penalty) / np.maximum(1 - levels, _LEAST_SLACK)
    width = np.round(np.diff(edges, prepend=0.0), 6)
    shifts = {work: _shift(work * levels, time, energy, count, slope) for work in dict.fromkeys(width)}
    late = np.arange(count) / STEPS_PER_PERIOD > deadline + 1e-9
    late_cost = np.where(late, miss_penalty, 0.0).astype(np.float32)[:, None]
    changing = (transition * energy / time).astype(np.float32)
    start = np.repeat(start[None], len(levels), axis=0)
    cost = np.zeros(len(levels))
    for sweep in range(_SWEEPS):
        ended = np.zeros_like(start)
        ended[:, STEPS_PER_PERIOD + 1 :] = start[
            :, 1 : count - STEPS_PER_PERIOD
        ]  # the next one waits already
        ended += late_cost
        keep, change = [], []
        following = ended
        for number in range(len(edges) - 1, -1, -1):
            chance = ends[number]
            mixed = ended if chance == 1 else chance * ended + (1 - chance) * following
            here = shifts[width[number]](mixed)
            moved = _delayed(here, transition * STEPS_PER_PERIOD)
            moved += changing
            other = moved.argmin(axis=2)
            best = np.take_along_axis(moved, other[..., None], axis=2)
            keep.append(here <= best)
            change.append(other.astype(np.int8))
            following = np.minimum(here, best)
        before, cost = cost, here[:, 0].min(axis=1)
        start = following - cost[:, None, None]
        if sweep and np.abs(cost - before).max() < _TOLERANCE:
            break
    first = here.argmin(axis=2).astype(np.int8)
    choices = Choices(first, np.array(keep[::-1]), np.array(change[::-1]), edges, cost)
    return choices, start[-1]


def _shift(work: np.ndarray, time: np.ndarray, energy: np.ndarray, count: int, slope: np.ndarray) -> _Shift:
    """Return the shift of ``work`` per row, in periods at the fastest point."""
    took = (work[:, None] * time * STEPS_PER_PERIOD)[:, None, :]
    place = np.arange(count)[None, :, None] + took
    low = np.minimum(place.astype(int), count - 2)
    flat = (np.arange(len(work))[:, None, None] * count + low) * len(time) + np.arange(len(time))
    beyond = np.maximum(place - (count - 1), 0.0) / STEPS_PER_PERIOD * slope[:, None, None]
    spent = (work[:, None] * energy)[:, None, :]
    single = np.float32
    return _Shift(
        flat, np.minimum(place - low, 1.0).astype(single), beyond.astype(single), spent.astype(single)
    )


def _delayed(values: np.ndarray, steps: float) -> np.ndarray:
    """Return the values ``steps`` moments later; the last moment's stays."""
    whole, part = divmod(steps, 1.0)
    later = np.minimum(np.arange(values.shape[1]) + int(whole), values.shape[1] - 1)
    low = values[:, later] if whole else values
    moved = low.copy()
    moved[:, :-1] += np.float32(part) * (low[:, 1:] - low[:, :-1])
    return moved
