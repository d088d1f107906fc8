"""The point to run at from moment to moment of each frame, from what the frames before it took."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from runtime.choose.frame_policy.belief import HEAVY_SHARES, LEVELS, SPREADS, STEP, WorkBelief
from runtime.choose.frame_policy.frontier import Frontier, frontier
from runtime.choose.frame_policy.penalty import MissPenalty
from runtime.choose.frame_policy.plans import STEPS, follow
from runtime.choose.frame_policy.program import STEPS_PER_PERIOD, solve
from runtime.choose.frame_policy.scatter import Scatter


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
        late_share: of the frames that a clock could have saved: how many may be late, see ``MissPenalty``.
        miss_penalty: of a late frame, whatever share of them is: so many periods' energy at the fastest
            point.
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
        late_share: float = 0.01,
        miss_penalty: float | None = None,
        transition_ms: float = 0.0,
    ):
        if not period_ms > 0:
            raise ValueError(f"period_ms is {period_ms}; it must be above 0")
        self.deadline = 1.0 if deadline_ms is None else deadline_ms / period_ms
        if not 0.1 <= self.deadline < math.inf:
            raise ValueError(
                f"deadline_ms is {deadline_ms}; give at least a tenth of the period, {period_ms}"
            )
        self.frontier: Frontier = frontier(speed, power_mw)
        self.fastest = int(self.frontier.point[-1])
        self.full = period_ms / float(self.frontier.time[-1])  # work of a period at the fastest point
        self.period_ms = period_ms
        self.miss_penalty = MissPenalty(lanes, late_share, fixed=miss_penalty)
        self.transition = transition_ms / period_ms
        self.belief = WorkBelief(lanes, period_ms)
        self._solved = np.zeros((len(self.miss_penalty.ladder), len(SPREADS), len(HEAVY_SHARES)), dtype=bool)
        self._nearest: np.ndarray = np.zeros(0)  # of each class, the nearest with a table
        self._rank: np.ndarray = np.zeros(0)  # of each class, level, moment and step, once one is solved
        self._until: np.ndarray = np.zeros(0)

    def observe(
        self,
        work: np.ndarray,
        lanes: np.ndarray | None = None,
        *,
        late: np.ndarray | None = None,
        remaining_ms: np.ndarray | None = None,
    ) -> None:
        """Learn from frames that are done.

        Args:
            late: which of them were, if the penalty is to follow that.
            remaining_ms: until their deadline, when they began: one that even the fastest point would have
                made late is no reason to pay more for being in time.
        """
        lanes = np.arange(len(work)) if lanes is None else lanes
        if late is not None and remaining_ms is not None:
            self.miss_penalty.learn(late & (work / self.full * self.period_ms <= remaining_ms), lanes)
        self.belief.observe(work / self.full, lanes)

    def decide(
        self, remaining_ms: np.ndarray, lanes: np.ndarray | None = None, *, wait: bool = True
    ) -> FramePlan:
        """Return the plan for frames that begin now, with ``remaining_ms`` until their deadline.

        Args:
            wait: compute the table of a kind of frames that was not met before; else the nearest one that
                is there is used, where there is none the fastest point, and ``missing`` says what to
                ``solve``.
        """
        lanes = np.arange(len(remaining_ms)) if lanes is None else lanes
        belief = self.belief
        known = belief.known[lanes]
        penalty = self.miss_penalty.level[lanes]
        spread, heavy, level = belief.spread[lanes], belief.heavy[lanes], belief.level[lanes]
        if wait:
            for kind in self.missing(lanes):
                self.solve(kind)
        elif self._solved.any():
            penalty, spread, heavy = self._nearest[penalty, spread, heavy].T
        else:
            known = np.zeros_like(known)
        if not known.any():
            return FramePlan(np.full((len(lanes), STEPS), self.fastest), np.full((len(lanes), STEPS), np.inf))
        row = np.clip(np.round(np.log(level / LEVELS[0]) / np.log(STEP)).astype(int), 0, len(LEVELS) - 1)
        since = (self.deadline - remaining_ms / self.period_ms) * STEPS_PER_PERIOD
        since = np.clip(np.ceil(since - 1e-6).astype(int), 0, self._rank.shape[4] - 1)
        rank = self._rank[penalty, spread, heavy, row, since]
        until_ms = (
            self._until[penalty, spread, heavy, row, since] * (self.period_ms * level / LEVELS[row])[:, None]
        )
        point = np.where(known[:, None], self.frontier.point[rank], self.fastest)
        return FramePlan(point, np.where(known[:, None], until_ms, np.inf))

    def _scatter(self, spread: int, heavy: int) -> Scatter:
        return Scatter(SPREADS[spread], HEAVY_SHARES[heavy])

    def missing(self, lanes: np.ndarray | None = None) -> set[tuple[int, int, int]]:
        """Return the kinds of frames that have no table yet: places of penalty, spread and heavy share."""
        belief = self.belief
        at = np.arange(len(belief.known)) if lanes is None else lanes
        at = at[belief.known[at]]
        kinds = np.stack([self.miss_penalty.level[at], belief.spread[at], belief.heavy[at]], axis=1)
        return {tuple(kind) for kind in kinds[~self._solved[tuple(kinds.T)]].tolist()}

    def solve(self, kind: tuple[int, int, int]) -> None:
        """Compute the table of a kind of frames; plans may be looked up in another thread meanwhile."""
        penalty, spread, heavy = kind
        choices = solve(
            self.frontier,
            self._scatter(spread, heavy),
            LEVELS,
            deadline=self.deadline,
            miss_penalty=self.miss_penalty.ladder[penalty],
            transition=self.transition,
        )
        rank, until = follow(choices, self.frontier, LEVELS, self.transition)
        if not self._rank.size:
            shape = (*self._solved.shape, *rank.shape)
            self._until, self._rank = np.zeros(shape, np.float32), np.zeros(shape, np.int8)
        self._rank[kind], self._until[kind] = rank, until
        kinds, solved = np.indices(self._solved.shape), self._solved.copy()
        solved[kind] = True
        there = np.argwhere(solved)
        distance = np.abs(kinds[..., None] - there.T[:, None, None, None, :]).sum(axis=0)
        self._nearest = there[distance.argmin(axis=3)]
        self._solved = solved
