"""An agent in the manner of zTT: it learns by trying which clock keeps the frame rate at little power.

Kim et al., "zTT: learning-based DVFS with zero thermal throttling for mobile devices", MobiSys 2021: deep
Q-learning; state: clocks, frame rate, power, temperature; reward u + v1 + v2 + beta / P with u = 1 at the
target frame rate or above, else exp(0.1 (fps - target)). Here there is no temperature, so v1 and v2, which
reward cool clusters, are left out, and with them the temperatures of the state; the state has how long the
frame before kept the core busy and the time left instead. A frame's rate is that at which it would have
come had all taken as long from arrival to end. An agent that has fallen a period behind runs at the fastest
point until it has caught up; otherwise what it tries would pile frames up without bound. This, the size
of the network, beta and the course of learning are ours.
"""

from __future__ import annotations

import numpy as np

from runtime.choose.frame_policy.frontier import frontier
from runtime.choose.simulation.engine import Lanes, SimGovernor, replay
from runtime.choose.simulation.frames import Frames
from runtime.choose.simulation.platform import Platform
from tests.benchmarks.simulation.deep_q import DeepQ

BETA = 0.01  # times the power of the fastest point
_DISCOUNT, _LEARNING_RATE = 0.5, 1e-3
_EXPLORE_LAST = 0.02
_STEPS = 2  # of learning at each start
_MOST_FPS = 4.0  # times the target: a state's frame rate goes no higher


class Ztt(SimGovernor):
    """Follows what a Q-network says at each frame's start.

    Args:
        platform: what it runs on.
        frames: to learn on before, other than those to be judged by; learning ends with them.
        seed: of the learning.
    """

    name = "ztt"

    def __init__(self, platform: Platform, frames: Frames, seed: int = 0):
        self.platform = platform
        self.over_mw = platform.power_mw + platform.idle_mw - platform.waiting_mw
        self.points = frontier(platform.free_speed, self.over_mw).point
        self.agent = DeepQ(5, len(self.points), seed=seed, discount=_DISCOUNT, learning_rate=_LEARNING_RATE)
        self.period_ms = frames.period_ms
        self.learning = True
        self.frames_to_learn = frames.work.size
        replay(platform, frames, self)
        self.learning = False

    def begin(self, lanes: Lanes) -> None:
        count = len(lanes.opp)
        lanes.wanted = np.full(count, self.points[-1])
        self.done = 0
        self.began = np.zeros(count, dtype=bool)  # a first action was taken
        self.state = np.zeros((count, 5))
        self.action = np.full(count, len(self.points) - 1)
        self.busy_ms, self.reward = np.zeros(count), np.zeros(count)
        self.rate, self.power = np.ones(count), np.zeros(count)

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        at = np.flatnonzero(mask)
        state = self._state_of(lanes, at)
        explore = 0.0
        if self.learning:
            explore = max(_EXPLORE_LAST, 1 - 2 * self.done / self.frames_to_learn)
            known = self.began[at]
            if known.any():
                old = at[known]
                self.agent.remember(self.state[old], self.action[old], self.reward[old], state[known])
                for _ in range(_STEPS):
                    self.agent.learn()
        behind = lanes.now_ms[at] - lanes.deadline_ms[at] > self.period_ms
        action = np.where(behind, len(self.points) - 1, self.agent.act(state, explore))
        self.state[at], self.action[at] = state, action
        self.began[at] = True
        lanes.wanted[at] = self.points[self.action[at]]

    def finish(self, lanes: Lanes, mask: np.ndarray) -> None:
        at = np.flatnonzero(mask)
        self.done += len(at)
        took_ms = np.maximum(lanes.now_ms[at] - lanes.arrival_ms[at], 1e-3)
        self.busy_ms[at] = lanes.now_ms[at] - lanes.start_ms[at]
        self.rate[at] = (lanes.deadline_ms[at] - lanes.arrival_ms[at]) / took_ms
        target_fps = 1e3 / self.period_ms
        in_time = self.rate[at] >= 1 - 1e-9
        reached = np.where(in_time, 1.0, np.exp(0.1 * target_fps * (np.minimum(self.rate[at], 1.0) - 1)))
        energy = self.busy_ms[at] * self.over_mw[lanes.opp[at]]
        self.power[at] = energy / self.period_ms / self.over_mw[self.points[-1]]
        # One less than the paper's: what is learned is the same, and values stay near where they begin.
        self.reward[at] = reached - 1 + BETA / np.maximum(self.power[at], BETA)

    def _state_of(self, lanes: Lanes, at: np.ndarray) -> np.ndarray:
        speed = self.platform.free_speed
        return np.stack(
            [
                speed[self.points[self.action[at]]] / speed[self.points[-1]],
                np.minimum(self.rate[at], _MOST_FPS) / _MOST_FPS,
                self.power[at],
                np.minimum(self.busy_ms[at] / self.period_ms, 2.0),
                np.maximum((lanes.deadline_ms[at] - lanes.now_ms[at]) / self.period_ms, -1.0),
            ],
            axis=1,
        )
