"""The event-based scheduler of Zhu, Halpern and Reddi, "Event-based scheduling for energy-efficient QoS
(eQoS) in mobile web applications", HPCA 2015, restated for frames.

Latency of an event at clock f of a core is modelled as T = a + n / f, fitted on line: the first events
are run at the highest and at the lowest clock of the fastest cluster. From then on the cheapest (core,
clock) predicted to meet the deadline is chosen. Feedback: each event corrects n by a moving average; a
missed deadline raises the choice by one step of speed, ten events in a row that would have met it one
step lower take that back; after three misses in a row one event runs at the highest clock and n is
fitted anew. The weights and counts of the feedback are ours: the paper's text was not at hand. An event
here is a frame; only its imperceptible deadline is used.
"""

from __future__ import annotations

import numpy as np

from runtime.choose.simulation.engine import Lanes, SimGovernor
from runtime.choose.simulation.platform import Platform

# The paper gives the mechanism; these figures are ours (see above), chosen and not measured on their own.
_MISSES_TO_PROFILE = 3
_CALM_TO_LOWER = 10
_AVERAGE_WEIGHT = 0.25


class EventBased(SimGovernor):
    """Two profiled events, then the cheapest point by the fitted latency, with feedback."""

    name = "ebs"

    def __init__(self, platform: Platform):
        self.platform = platform
        order = np.lexsort((platform.power_mw, platform.free_speed))
        self.by_speed = order
        self.rank = np.empty_like(order)
        self.rank[order] = np.arange(len(order))
        self.slowest = int(platform.of_cluster(int(platform.cluster[platform.fastest]))[0])

    def begin(self, lanes: Lanes) -> None:
        count = len(lanes.opp)
        lanes.wanted = np.full(count, self.platform.fastest)
        self.profiled = np.zeros(
            count, dtype=int
        )  # 0, 1: events profiled; 2: settled; 3: n is to be fitted anew
        self.high_ms = np.zeros(count)
        self.fixed_ms = np.zeros(count)  # a
        self.cycles = np.zeros(count)  # n, megacycles of the fastest point
        self.raised = np.zeros(count, dtype=int)
        self.misses = np.zeros(count, dtype=int)
        self.calm = np.zeros(count, dtype=int)

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        speed = self.platform.free_speed
        remaining_ms = lanes.deadline_ms - lanes.now_ms
        time_ms = self.fixed_ms[:, None] + self.cycles[:, None] / speed
        energy = time_ms * (self.platform.power_mw + self.platform.idle_mw - self.platform.waiting_mw)
        in_time = time_ms <= remaining_ms[:, None]
        best = np.argmin(np.where(in_time, energy, np.inf), axis=1)
        best = np.where(in_time.any(axis=1), best, self.platform.fastest)
        raised = self.by_speed[np.minimum(self.rank[best] + self.raised, len(speed) - 1)]
        chosen = np.where(self.raised > 0, raised, best)
        chosen = np.where((self.profiled == 0) | (self.profiled == 3), self.platform.fastest, chosen)
        chosen = np.where(self.profiled == 1, self.slowest, chosen)
        lanes.wanted = np.where(mask, chosen, lanes.wanted)

    def finish(self, lanes: Lanes, mask: np.ndarray) -> None:
        took_ms = lanes.now_ms - lanes.start_ms
        speed = self.platform.free_speed
        missed = lanes.now_ms > lanes.deadline_ms + 1e-6
        first, second, settled, again = (mask & (self.profiled == n) for n in range(4))
        self.high_ms = np.where(first, took_ms, self.high_ms)
        # T_low - T_high = n (1 / s_low - 1 / s_high)
        gap = 1 / speed[self.slowest] - 1 / speed[self.platform.fastest]
        cycles = np.maximum(took_ms - self.high_ms, 0.0) / gap if gap > 0 else took_ms * speed[self.slowest]
        self.cycles = np.where(second, cycles, self.cycles)
        fixed_ms = np.maximum(self.high_ms - cycles / speed[self.platform.fastest], 0.0)
        self.fixed_ms = np.where(second, fixed_ms, self.fixed_ms)
        self.misses = np.where(settled, np.where(missed, self.misses + 1, 0), self.misses)
        measured = np.maximum(took_ms - self.fixed_ms, 0.0) * speed[lanes.opp]
        corrected = self.cycles + _AVERAGE_WEIGHT * (measured - self.cycles)
        self.cycles = np.where(settled, corrected, self.cycles)
        lower = self.by_speed[np.maximum(self.rank[lanes.opp] - 1, 0)]
        lower_met = self.fixed_ms + measured / speed[lower] <= lanes.deadline_ms - lanes.start_ms
        self.calm = np.where(settled, np.where(lower_met, self.calm + 1, 0), self.calm)
        drop = settled & (self.calm >= _CALM_TO_LOWER) & (self.raised > 0)
        self.calm = np.where(drop, 0, self.calm)
        self.raised = np.where(
            settled & missed, self.raised + 1, np.where(drop, self.raised - 1, self.raised)
        )
        anew = settled & (self.misses >= _MISSES_TO_PROFILE)
        self.misses = np.where(anew, 0, self.misses)
        self.raised = np.where(anew, 0, self.raised)
        refitted = np.maximum(took_ms - self.fixed_ms, 0.0) * speed[lanes.opp]
        self.cycles = np.where(again, refitted, self.cycles)
        grown = np.where(first | second, self.profiled + 1, np.where(again, 2, self.profiled))
        self.profiled = np.where(anew, 3, grown)
