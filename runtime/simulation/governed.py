"""Our policy as a simulated governor: it sees deadlines, and cycles once a frame is done."""

from __future__ import annotations

import numpy as np

from runtime.frame_policy import FramePolicy
from runtime.simulation.engine import Governor, Lanes
from runtime.simulation.platform import Platform


class Governed(Governor):
    """Follows the plan of a ``FramePolicy`` by timers."""

    name = "policy"

    def __init__(self, platform: Platform, late_share: float = 0.006):
        self.platform = platform
        self.late_share = late_share

    def begin(self, lanes: Lanes) -> None:
        count = len(lanes.opp)
        soc = self.platform
        self.policy = FramePolicy(
            soc.free_speed,
            soc.power_mw + soc.idle_mw - soc.waiting_mw,
            lanes=count,
            late_share=self.late_share,
            transition_ms=soc.transition_ms,
        )
        lanes.wanted = np.full(count, self.policy.fastest)
        plan = self.policy.decide(np.ones(count))
        self.point, self.until_ms = plan.point, plan.until_ms

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        at = np.flatnonzero(mask)
        plan = self.policy.decide(lanes.deadline_ms[at] - lanes.now_ms[at], at)
        self.point[at] = plan.point
        self.until_ms[at] = lanes.now_ms[at, None] + plan.until_ms
        self._follow(lanes, mask)

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        self._follow(lanes, mask)

    def finish(self, lanes: Lanes, mask: np.ndarray) -> None:
        at = np.flatnonzero(mask)
        self.policy.observe(
            lanes.cycles[at] - lanes.frame_cycles[at],
            lanes.arrival_ms[at],
            lanes.deadline_ms[at],
            lanes.now_ms[at],
            at,
        )
        # The next frame most likely begins as this one did: change the clock while nothing runs.
        lanes.wanted = np.where(mask, self.point[:, 0], lanes.wanted)
        lanes.timer_ms = np.where(mask, np.inf, lanes.timer_ms)

    def _follow(self, lanes: Lanes, mask: np.ndarray) -> None:
        """Run the step of now, and be asked again when the next step has another point."""
        rows = np.arange(len(lanes.opp))
        step = (self.until_ms <= lanes.now_ms[:, None] + 1e-9).sum(axis=1)
        point = self.point[rows, step]
        other = (self.point != point[:, None]) & (np.arange(self.point.shape[1]) > step[:, None])
        following = np.argmax(other, axis=1)
        change_ms = np.where(other.any(axis=1), self.until_ms[rows, following - 1], np.inf)
        lanes.wanted = np.where(mask, point, lanes.wanted)
        lanes.timer_ms = np.where(mask, change_ms, lanes.timer_ms)
