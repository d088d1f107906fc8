"""The frame policy as a simulated governor: it sees deadlines, and cycles once a frame is done."""

from __future__ import annotations

import numpy as np

from runtime.choose.frame_policy import FramePolicy
from runtime.choose.simulation.engine import Lanes, SimGovernor
from runtime.choose.simulation.platform import Platform


class Governed(SimGovernor):
    """Follows the plan of a ``FramePolicy`` by timers.

    Args:
        platform: what it runs on.
        period_ms: between two frames.
        deadline_ms: from a frame's arrival to when it is late; a period by default.
        late_share, miss_penalty: see ``FramePolicy``.
    """

    name = "policy"
    policy_class = FramePolicy

    def __init__(
        self,
        platform: Platform,
        period_ms: float,
        deadline_ms: float | None = None,
        miss_penalty: float | None = None,
        late_share: float = 0.01,
    ):
        self.platform = platform
        self.period_ms, self.deadline_ms = period_ms, deadline_ms
        self.late_share, self.miss_penalty = late_share, miss_penalty

    def begin(self, lanes: Lanes) -> None:
        count = len(lanes.opp)
        soc = self.platform
        self.policy = self.policy_class(
            soc.free_speed,
            soc.power_mw + soc.idle_mw - soc.waiting_mw,
            period_ms=self.period_ms,
            deadline_ms=self.deadline_ms,
            lanes=count,
            late_share=self.late_share,
            miss_penalty=self.miss_penalty,
            transition_ms=soc.transition_ms,
        )
        lanes.wanted = np.full(count, self.policy.fastest)
        plan = self.policy.decide(np.ones(count))
        self.point, self.until_ms = plan.point, plan.until_ms
        self.step = np.zeros(count, dtype=int)

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        at = np.flatnonzero(mask)
        plan = self.policy.decide(lanes.deadline_ms[at] - lanes.now_ms[at], at)
        self.point[at] = plan.point
        self.until_ms[at] = lanes.now_ms[at, None] + plan.until_ms
        self.step[at] = 0
        lanes.wanted[at] = plan.point[:, 0]
        lanes.timer_ms[at] = self.until_ms[at, 0]

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        at = np.flatnonzero(mask)
        step = self.step[at] + 1
        self.step[at] = step
        lanes.wanted[at] = self.point[at, step]
        lanes.timer_ms[at] = self.until_ms[at, step]

    def finish(self, lanes: Lanes, mask: np.ndarray) -> None:
        at = np.flatnonzero(mask)
        self.policy.observe(
            lanes.cycles[at] - lanes.frame_cycles[at],
            at,
            late=lanes.now_ms[at] > lanes.deadline_ms[at] + 1e-6,
            remaining_ms=lanes.deadline_ms[at] - lanes.start_ms[at],
        )
        # The next frame most likely begins as this one did: change the clock while nothing runs.
        lanes.wanted[at] = self.point[at, 0]
        lanes.timer_ms[at] = np.inf
