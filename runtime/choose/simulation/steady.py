"""The governor of steady frames on a simulated machine: what ``edgekit govern`` does about frames."""

from __future__ import annotations

import math

import numpy as np

from runtime.choose.decision import DecisionTable
from runtime.choose.decision.controller import Controller
from runtime.choose.simulation.engine import Lanes, SimGovernor
from runtime.choose.simulation.platform import Platform


class Steady(SimGovernor):
    """Follows a ``Controller``, for one lane of frames whose program reports when they begin.

    Args:
        platform: with a point for each row of ``table``.
        table: of a policy.
        deadline_ms: that frames are governed by.
    """

    name = "governed"

    def __init__(self, platform: Platform, table: DecisionTable, deadline_ms: float):
        self.controller = Controller(table, deadline_ms)
        places = zip(platform.cluster.tolist(), platform.freq_khz.tolist(), strict=True)
        point_of = {
            (platform.cluster_names[cluster], khz): point for point, (cluster, khz) in enumerate(places)
        }
        settings = [row.setting for row in table.rows]
        self.point_of = [point_of[setting.cluster, setting.freq_khz or 0] for setting in settings]

    def begin(self, lanes: Lanes) -> None:
        lanes.timer_ms[:] = math.inf
        self._follow(lanes, self.controller.decide(float(lanes.now_ms[0]) / 1e3).row)

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        now_ms = float(lanes.now_ms[0])
        self._parts: list[tuple[int | None, float]] = []
        self._part_ms = now_ms  # when the part that runs began
        decision = self.controller.begin(float(lanes.deadline_ms[0]) - now_ms, now_ms / 1e3)
        self._follow(lanes, decision.row)
        lanes.timer_ms[:] = now_ms + self.controller.next_ms

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        self._end_part(lanes)
        self._follow(lanes, self.controller.change().row)
        lanes.timer_ms[:] = math.inf

    def finish(self, lanes: Lanes, mask: np.ndarray) -> None:
        self._end_part(lanes)
        now_s = float(lanes.now_ms[0]) / 1e3
        self.controller.learn(self._parts, bool(lanes.now_ms[0] > lanes.deadline_ms[0] + 1e-6), now_s)
        self._follow(lanes, self.controller.decide(now_s).row)
        lanes.timer_ms[:] = math.inf

    def _end_part(self, lanes: Lanes) -> None:
        now_ms = float(lanes.now_ms[0])
        self._parts.append((self._row, now_ms - self._part_ms))
        self._part_ms = now_ms

    def _follow(self, lanes: Lanes, row: int | None) -> None:
        self._row = row  # None: the kernel's clock, which is taken for the fastest
        lanes.wanted[:] = self.point_of[self.controller.fastest() if row is None else row]
