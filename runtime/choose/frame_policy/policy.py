"""The point to run at from moment to moment of each frame, from what the frames before it took."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from runtime.choose.frame_policy.belief import HEAVY_SHARES, LEVELS, SPREADS, STEP, WorkBelief
from runtime.choose.frame_policy.frontier import Frontier, frontier
from runtime.choose.frame_policy.plans import STEPS, follow
from runtime.choose.frame_policy.program import STEPS_PER_PERIOD, solve
from runtime.choose.frame_policy.scatter import Scatter

# Of a late frame, in periods at the fastest point. With a buffered display 2 keeps over 92 % of the oracle's
# saving on each of ten SoCs, with late frames within a point of the own-period oracle's, modelled (see
# docs/frame_policy.md). More saves frames, less saves energy.
MISS_PENALTY = 2.0


@dataclass(frozen=True, eq=False)
class FramePlan:
    """What to do in a frame, per lane: ``point[i]`` until ``until_ms[i]`` after its start.

    Attributes:
        point: indices of the table of points, shape (n, n_steps).
        until_ms: rising, shape (n, n_steps); the last is infinite.
    """

    point: np.ndarray
    until_ms: np.ndarray


class FramePolicy:
    """Choose for each frame the plan that is expected to cost least, with a penalty for each late frame.

    A plan begins slowly and speeds up the longer the frame lasts; where the deadline leaves more than a
    period it lets short and long frames make up for each other. Plans are looked up, by the level and scatter
    that the frames before make likely and by the time that remains; a table is computed when its
    scatter is first met.

    Args:
        speed: work per ms at each point.
        power_mw: of each point above waiting.
        period_ms: between two frames.
        deadline_ms: from a frame's arrival to when it is late; a period by default.
        lanes: independent streams of frames.
        miss_penalty: of a late frame: so many periods' energy at the fastest point.
        transition_ms: for how long a change of point stops the work.

    Example:
        >>> policy = FramePolicy(np.array([1.0, 2.0]), np.array([100.0, 400.0]), period_ms=20.0)
        >>> for _ in range(30):
        ...     policy.observe(np.array([10.0]))
        >>> int(policy.decide(np.array([20.0])).point[0, 0])
        0
    """

    def __init__(
        self,
        speed: np.ndarray,
        power_mw: np.ndarray,
        *,
        period_ms: float,
        deadline_ms: float | None = None,
        lanes: int = 1,
        miss_penalty: float = MISS_PENALTY,
        transition_ms: float = 0.0,
    ):
        if not period_ms > 0:
            raise ValueError(f"period_ms is {period_ms}; it must be above 0")
        self.deadline = 1.0 if deadline_ms is None else deadline_ms / period_ms
        if not 0.1 <= self.deadline < math.inf:
            raise ValueError(
                f"deadline_ms is {deadline_ms}; give at least a tenth of the period, {period_ms}"
            )
        if not miss_penalty > 0:
            raise ValueError(f"miss_penalty is {miss_penalty}; it must be above 0")
        self.frontier: Frontier = frontier(speed, power_mw)
        self.fastest = int(self.frontier.point[-1])
        self.full = period_ms / float(self.frontier.time[-1])  # work of a period at the fastest point
        self.period_ms, self.miss_penalty = period_ms, miss_penalty
        self.transition = transition_ms / period_ms
        self.belief = WorkBelief(lanes, period_ms)
        self._solved = np.zeros((len(SPREADS), len(HEAVY_SHARES)), dtype=bool)
        self._nearest: np.ndarray = np.zeros(0)  # of each class, the nearest with a table
        self._rank: np.ndarray = np.zeros(0)  # of each class, level, moment and step, once one is solved
        self._until: np.ndarray = np.zeros(0)

    def observe(self, work: np.ndarray, lanes: np.ndarray | None = None) -> None:
        """Learn the work of frames that are done."""
        self.belief.observe(work / self.full, np.arange(len(work)) if lanes is None else lanes)

    def decide(
        self, remaining_ms: np.ndarray, lanes: np.ndarray | None = None, *, wait: bool = True
    ) -> FramePlan:
        """Return the plan for frames that begin now, with ``remaining_ms`` until their deadline.

        Args:
            wait: compute the table of a scatter that was not met before; else the nearest one that is there
                is used, where there is none the fastest point, and ``missing`` says what to ``solve``.
        """
        lanes = np.arange(len(remaining_ms)) if lanes is None else lanes
        belief = self.belief
        known = belief.known[lanes]
        spread, heavy, level = belief.spread[lanes], belief.heavy[lanes], belief.level[lanes]
        if wait:
            for scatter in self.missing(lanes):
                self.solve(scatter)
        elif self._solved.any():
            spread, heavy = self._nearest[spread, heavy].T
        else:
            known = np.zeros_like(known)
        if not known.any():
            return FramePlan(np.full((len(lanes), STEPS), self.fastest), np.full((len(lanes), STEPS), np.inf))
        row = np.clip(np.round(np.log(level / LEVELS[0]) / np.log(STEP)).astype(int), 0, len(LEVELS) - 1)
        since = (self.deadline - remaining_ms / self.period_ms) * STEPS_PER_PERIOD
        since = np.clip(np.ceil(since - 1e-6).astype(int), 0, self._rank.shape[3] - 1)
        rank = self._rank[spread, heavy, row, since]
        until_ms = self._until[spread, heavy, row, since] * (self.period_ms * level / LEVELS[row])[:, None]
        point = np.where(known[:, None], self.frontier.point[rank], self.fastest)
        return FramePlan(point, np.where(known[:, None], until_ms, np.inf))

    def _scatter(self, spread: int, heavy: int) -> Scatter:
        return Scatter(SPREADS[spread], HEAVY_SHARES[heavy])

    def missing(self, lanes: np.ndarray | None = None) -> set[tuple[int, int]]:
        """Return the classes of scatter, spread and share of heavy frames, that have no table yet."""
        belief = self.belief
        at = np.arange(len(belief.known)) if lanes is None else lanes
        at = at[belief.known[at]]
        at = at[~self._solved[belief.spread[at], belief.heavy[at]]]
        return set(zip(belief.spread[at].tolist(), belief.heavy[at].tolist(), strict=True))

    def solve(self, scatter: tuple[int, int]) -> None:
        """Compute the table of a class of scatter; plans may be looked up in another thread meanwhile."""
        choices = solve(
            self.frontier,
            self._scatter(*scatter),
            LEVELS,
            deadline=self.deadline,
            miss_penalty=self.miss_penalty,
            transition=self.transition,
        )
        rank, until = follow(choices, self.frontier, LEVELS, self.transition)
        if not self._rank.size:
            shape = (*self._solved.shape, *rank.shape)
            self._until, self._rank = np.zeros(shape, np.float32), np.zeros(shape, np.int8)
        self._rank[scatter], self._until[scatter] = rank, until
        classes, solved = np.indices(self._solved.shape), self._solved.copy()
        solved[scatter] = True
        distance = np.abs(classes[:, :, :, None] - np.argwhere(solved).T[:, None, None, :]).sum(axis=0)
        self._nearest = np.argwhere(solved)[distance.argmin(axis=2)]
        self._solved = solved
