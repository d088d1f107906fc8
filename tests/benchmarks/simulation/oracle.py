"""The exhaustive per-frame best: every point tried, with perfect knowledge of the frame's work."""

from __future__ import annotations

import numpy as np

from runtime.choose.simulation.engine import Lanes, SimGovernor
from runtime.choose.simulation.frames import Frames
from runtime.choose.simulation.platform import Platform


class Oracle(SimGovernor):
    """For each frame the point of least energy that meets the deadline; the fastest where none does.

    Args:
        platform: what it runs on.
        frames: that will come.
        own_deadlines: meet those of ``frames``, whatever the frames that are replayed are judged by.
    """

    name = "oracle"

    def __init__(self, platform: Platform, frames: Frames, *, own_deadlines: bool = False):
        self.platform = platform
        self.work = frames.work
        self.deadline_ms = frames.deadline_ms if own_deadlines else None
        if own_deadlines:
            self.name = "oracle, own period"

    def begin(self, lanes: Lanes) -> None:
        lanes.wanted = np.full(len(lanes.opp), self.platform.fastest)

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        lanes_at = np.flatnonzero(mask)
        number = lanes.frame[lanes_at]
        deadline_ms = lanes.deadline_ms[lanes_at]
        if self.deadline_ms is not None:
            deadline_ms = self.deadline_ms[lanes_at, number]
        chosen = cheapest(
            self.platform,
            self.work[lanes_at, number],
            deadline_ms - lanes.now_ms[lanes_at],
            lanes.opp[lanes_at],
        )
        lanes.wanted = lanes.wanted.copy()
        lanes.wanted[lanes_at] = chosen


def cheapest(
    platform: Platform, work: np.ndarray, remaining_ms: np.ndarray, now_at: np.ndarray
) -> np.ndarray:
    """Return the point that does ``work`` within ``remaining_ms`` with the least energy, else the fastest.

    Args:
        work: megacycles of the fastest point, shape (n,).
        remaining_ms: time to the deadline.
        now_at: points that run now; another one costs a transition.
    """
    change = now_at[:, None] != np.arange(len(platform.speed))
    time_ms = work[:, None] / platform.free_speed + np.where(change, platform.transition_ms, 0.0)
    # Time not worked is waited, and waiting has its own power: what counts is the difference.
    over_mw = platform.power_mw + platform.idle_mw - platform.waiting_mw
    energy_uj = time_ms * over_mw + np.where(change, platform.transition_uj, 0.0)
    in_time = time_ms <= remaining_ms[:, None] + 1e-9
    best = np.argmin(np.where(in_time, energy_uj, np.inf), axis=1)
    return np.asarray(np.where(in_time.any(axis=1), best, platform.fastest))
