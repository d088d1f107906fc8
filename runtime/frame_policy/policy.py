"""The point to run at from moment to moment of each frame, from what the frames before it took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.frame_policy.schedule import Frontier, Schedules, frontier, schedules
from runtime.frame_policy.work import EDGES, WorkEstimate

_REFRESH_FRAMES = 24
_PRICE_STEP = 0.1
_LEAST_SLACK = 0.05  # of a period: what the fastest point makes up for, at the least
_PRICE_RANGE = (0.02, 20.0)  # of a period at the fastest point


@dataclass(frozen=True, eq=False)
class Plan:
    """What to do in a frame, per lane: ``point[i]`` until ``until_ms[i]`` after its start.

    Attributes:
        point: indices of the table of points, shape (n, n_steps).
        until_ms: rising, shape (n, n_steps); the last is infinite.
    """

    point: np.ndarray
    until_ms: np.ndarray


class FramePolicy:
    """Choose for each frame a schedule of points that is expected to cost least.

    A late frame has a price; one that ends late by some ms makes the frames behind it late too, until the
    slack of the fastest point has made up for it, and pays for those as well. It is the price that is
    controlled: it rises with each frame that is late although the fastest point, used from the first
    frame on, would have finished it in time, and falls otherwise, so that in the long run a share of
    ``late_share`` of the frames is late for want of foresight.

    Args:
        speed: work per ms at each point.
        power_mw: of each point above waiting.
        lanes: independent streams of frames.
        late_share: of frames that may be late though they need not.
        transition_ms: for how long a change of point stops the work.

    Example:
        >>> policy = FramePolicy(np.array([1.0, 2.0]), np.array([100.0, 400.0]))
        >>> for _ in range(30):
        ...     policy.observe(np.array([10.0]), np.array([0.0]), np.array([20.0]), np.array([10.0]))
        >>> int(policy.decide(np.array([20.0])).point[0, 0])
        0
    """

    def __init__(
        self,
        speed: np.ndarray,
        power_mw: np.ndarray,
        *,
        lanes: int = 1,
        late_share: float = 0.006,
        transition_ms: float = 0.0,
    ):
        if not 0 < late_share < 1:
            raise ValueError(f"late_share is {late_share}; allowed: above 0, below 1")
        self.frontier: Frontier = frontier(speed, power_mw)
        self.fastest = int(self.frontier.point[-1])
        self.top_speed = float(1 / self.frontier.time[-1])
        self.top_mw = float(power_mw[self.fastest])
        self.late_share, self.transition_ms = late_share, transition_ms
        self.work = WorkEstimate(lanes)
        self.price = np.ones(lanes)
        self.period_ms = np.full(lanes, np.nan)
        self._fastest_ms = np.full(lanes, -np.inf)  # when the fastest point would have been done
        self._seen = 0
        self._table = self._schedules()

    def observe(
        self,
        work: np.ndarray,
        arrival_ms: np.ndarray,
        deadline_ms: np.ndarray,
        finish_ms: np.ndarray,
        lanes: np.ndarray | None = None,
    ) -> None:
        """Learn from frames that are done: their work, and when they came, were due and were done."""
        lanes = np.arange(len(work)) if lanes is None else lanes
        self.work.observe(work, lanes)
        self.period_ms[lanes] = deadline_ms - arrival_ms
        self._fastest_ms[lanes] = np.maximum(self._fastest_ms[lanes], arrival_ms) + work / self.top_speed
        avoidable = (finish_ms > deadline_ms + 1e-6) & (self._fastest_ms[lanes] <= deadline_ms)
        step = np.where(avoidable, 1.0, -self.late_share) * _PRICE_STEP
        self.price[lanes] = np.clip(self.price[lanes] * np.exp(step), *_PRICE_RANGE)
        self._seen += len(lanes)
        if self._seen >= _REFRESH_FRAMES * len(self.price):
            self._seen = 0
            self._table = self._schedules()

    def decide(self, left_ms: np.ndarray, lanes: np.ndarray | None = None) -> Plan:
        """Return the plan for frames that begin now and are due in ``left_ms``."""
        lanes = np.arange(len(left_ms)) if lanes is None else lanes
        level, age = self.work.level[lanes], self.work.age[lanes]
        known = np.isfinite(level)
        level = np.where(known, level, 1.0).astype(np.float32)
        left_ms = left_ms.astype(np.float32)
        table = self._table
        end_ms = table.end[lanes, age] * level[:, None, None]
        end_ms = end_ms + table.changes[lanes, age] * self.transition_ms
        left_ms = left_ms - self.transition_ms  # the change as the frame begins
        period_ms = np.where(known, self.period_ms[lanes], 1.0).astype(np.float32)
        slack_ms = np.maximum(period_ms - level * table.mean[lanes, age], _LEAST_SLACK * period_ms)
        excess_ms = table.excess[lanes, age] * level[:, None, None]
        beyond = table.beyond[lanes, age]
        late_ms = np.maximum(excess_ms + beyond * (end_ms - left_ms[:, None, None]), 0.0)
        late = beyond + late_ms / slack_ms[:, None, None]
        cost = table.energy[lanes, age] * level[:, None, None]
        cost = cost + table.changing[lanes, age] * self.transition_ms
        price_uj = (self.price[lanes] * self.top_mw * period_ms).astype(np.float32)
        cost = cost + price_uj[:, None, None] * late
        cost = np.where(end_ms <= left_ms[:, None, None], cost, np.inf)
        best = np.argmin(cost.reshape(len(lanes), -1), axis=1)
        row, last = np.divmod(best, cost.shape[2])
        here = np.arange(len(lanes))
        possible = known & np.isfinite(cost[here, row, last])

        rung = table.rung[lanes, age, row]
        planned = (np.arange(rung.shape[1]) <= last[:, None]) & possible[:, None]
        point = np.where(planned, self.frontier.point[rung], self.fastest)
        until_ms = np.where(planned, end_ms[here, row].astype(float), np.inf)
        until_ms[:, -1] = np.inf
        return Plan(point, until_ms)

    def _schedules(self) -> Schedules:
        return schedules(self.frontier, EDGES, self.work.survival())
