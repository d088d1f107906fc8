"""How many times its table's latency a frame takes now, typically and at most, learnt from each frame.

A conformal bound, normalised and adaptive: typical frames and their spread follow the last second of
frames, and how many spreads the bound lies above the typical frame is what lets ``late_share`` of them
exceed it (Gibbs and Candès, Adaptive conformal inference under distribution shift, NeurIPS 2021; here the
step is a share of the reach, not a fixed one, so that quiet frames keep a narrow bound). It comes down as
it goes up: a table of a wide bound, as a modelled one, costs a wide bound only until its frames have shown
what they take. Such a bound pays every frame that exceeded it back with a hundred wide ones, and those of a
disturbed second with a thousand: so it is capped by what the last frames needed, and back when they need it.

Pure arithmetic: the C that ``edgekit tune --emit c`` writes does the same on the same doubles in the same
order.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

# Mean distance from the mean of a normal distribution, in standard deviations: sqrt(2 / pi).
_MEAN_DISTANCE = 0.7978845608028654
# A frame that is off by more than this, and two or three in a row that are, tell outliers from a device
# that has become slower or quicker: one is no slower device, two are; to be quicker it takes three, because
# to believe that too soon makes frames late. Frames of two or three spreads are ordinary.
RECENT = 3


@dataclass(frozen=True)
class SlowdownRule:
    """How quickly, and within which limits, a ``Slowdown`` follows its frames.

    Attributes:
        late_share: share of frames that may exceed the bound.
        step: by which share the reach grows when one does; it shrinks by as much as balances that. At twice
            as much the bound swings more: constant work takes 0.2 % more energy in the mean, near the top of
            a steep cluster 2-3 %, at as many late frames. Half as much changes little.
        memory: frames that the typical one and the spread follow: a second at 30 FPS.
        tolerance: least distance of a typical frame from what was expected that is a change of level.
        clip: the same in spreads; what lies beyond counts as if it lay there.
        first_spread, least_spread: until frames have shown it; below which clocks and timers scatter.
        settled: frames on a cluster after which what changes there is taken for the whole device's.
        forget: share by which, each frame, what was learnt on other clusters moves to what this one shows:
            in a minute or two at 30 FPS a cluster that was too slow once is tried again.
        low, high: what a slowdown is kept within.
        most: highest bound, in typical frames.
        room: the bound is at most so many times as far above the typical frame as any of the last ``window``
            frames was off it, above or below: after a disturbance the typical one is too high at first. At
            1.25 and frames that scatter evenly 1.03 % exceed it instead of 1 %; at 1 it is 1.25 %.

    Raises:
        ValueError: a figure that cannot be.
    """

    late_share: float = 0.01
    step: float = 0.1
    memory: int = 32
    tolerance: float = 0.1
    clip: float = 4.0
    first_spread: float = 0.05
    least_spread: float = 0.005
    settled: int = 8
    forget: float = 1.0 / 4096.0
    low: float = 0.1
    high: float = 8.0
    most: float = 2.0
    room: float = 1.25

    def __post_init__(self) -> None:
        if not (0 < self.late_share < 1 and self.step > 0 and self.memory >= RECENT and self.most > 1):
            raise ValueError(
                f"{self} cannot be; allowed: 0 < late_share < 1, step above 0, memory from {RECENT}, "
                "most above 1"
            )
        if not (0 < self.least_spread <= self.first_spread and 0 < self.low <= 1 <= self.high):
            raise ValueError(
                f"{self} cannot be; allowed: 0 < least_spread <= first_spread and 0 < low <= 1 <= high"
            )

    @cached_property
    def first_reach(self) -> float:
        """Spreads between the typical frame and the bound, were frames normally distributed."""
        return max(NormalDist().inv_cdf(1.0 - self.late_share) / _MEAN_DISTANCE, LEAST_REACH)

    @cached_property
    def least_room(self) -> float:
        """What the bound lies above the typical frame at least, though frames were all alike lately."""
        return self.first_reach * self.least_spread

    @cached_property
    def window(self) -> int:
        """Frames that bring the bound down: of twice as many one may exceed it."""
        return min(max(math.ceil(0.5 / self.late_share), LEAST_WINDOW), MOST_WINDOW)

    @cached_property
    def grow(self) -> float:
        """Factor on the reach after a frame that exceeded the bound."""
        return 1.0 + self.step

    @cached_property
    def shrink(self) -> float:
        """Factor after one that did not: both balance where ``late_share`` of the frames do."""
        return float(self.grow ** (-self.late_share / (1.0 - self.late_share)))


# Of frames that bring a bound down: fewer show too little; more take too long to look at with each frame, and
# no program waits half a minute for its clock.
LEAST_WINDOW, MOST_WINDOW = 48, 1024
LEAST_REACH = 0.1  # a bound never sinks to the typical frame itself: half of the frames would be late


class Slowdown:
    """Follows latency over the table's, one figure for each cluster.

    Tables err between clusters more than within one. So a cluster that was just moved to corrects its own
    figure; what changes after a while there has changed for all of them, and so has what takes that back:
    where other work had slowed the device down, and frames moved to a faster cluster until it was over.

    Args:
        clusters: how many there are.

    Attributes:
        of_cluster: latency of a typical frame over the table's, by number of the cluster.
        spread: mean distance of frames from the typical one, as a share of it.
        reach: how many spreads the bound lies above the typical frame.
        is_known: frames have shown what they take; before that the table's own bounds hold.

    Example:
        >>> slowdown = Slowdown(clusters=1)
        >>> for _ in range(60):
        ...     slowdown.learn([(0, 0.5)])
        >>> round(slowdown.of_cluster[0], 2), round(slowdown.upper, 2)
        (0.5, 1.01)
    """

    def __init__(self, clusters: int, rule: SlowdownRule | None = None):
        self.rule = rule or SlowdownRule()
        self.of_cluster = [1.0] * clusters
        self.spread, self.reach = self.rule.first_spread, self.rule.first_reach
        self.is_known = False
        self._frames = 0  # since frames have shown what they take
        self._seen = [0] * clusters  # the same, since it was moved to
        self._home, self._jump = -1, 1.0  # cluster of the last frame; the device's last change of level
        self._recent: list[float] = []  # of the last frames, newest last: took, over what was expected
        self._rooms: deque[float] = deque(maxlen=self.rule.window)  # that the last frames would have needed
        self._cap = math.inf  # on the room of the bound, by those

    @property
    def upper(self) -> float:
        """What all but ``late_share`` of the frames stay below, in typical frames."""
        return 1.0 + min(self.reach * self.spread, self._cap, self.rule.most - 1.0)

    def learn(
        self, parts: Sequence[tuple[int, float]], is_missed: bool = False, most: float = math.inf
    ) -> None:
        """Learn from a frame that is done.

        Args:
            parts: clusters that it ran on, from its beginning, with how long over the table's latency.
            is_missed: it was late, whatever it took.
            most: typical frames beyond which nothing would have been in time: such a frame widens no bound.
        """
        rule, home = self.rule, parts[0][0]
        ratio = 0.0
        for cluster, share in parts:
            ratio += share / self.of_cluster[cluster]
        if home != self._home:
            self._home, self._recent = home, []
            self._seen[home] = min(self._seen[home], RECENT - 1)
        self._recent = [*self._recent[1 - RECENT :], ratio]
        tolerance = max(rule.tolerance, rule.clip * self.spread)
        if self._is_other_level(tolerance):
            self._change_level(parts, sorted(self._recent)[(len(self._recent) - 1) // 2], tolerance)
            return
        if not self.is_known:
            return
        self._adapt_reach(ratio, is_missed, most)
        error = min(max(ratio - 1.0, -tolerance), tolerance)
        share = 1.0 / min(self._frames + RECENT, rule.memory)
        self.spread = max(self.spread + share * (abs(error) - self.spread), rule.least_spread)
        weight = 1.0 / min(self._seen[home] + 2, rule.memory)
        self._scale(parts, 1.0 + weight * error, self._seen[home] >= rule.settled)
        for cluster, factor in enumerate(self.of_cluster):
            self.of_cluster[cluster] = factor + rule.forget * (self.of_cluster[home] - factor)
        self._seen[home] += 1
        self._frames += 1

    def _adapt_reach(self, ratio: float, is_missed: bool, most: float) -> None:
        """Let the reach grow or shrink by a frame, and cap the bound by what the last frames needed."""
        rule, room = self.rule, min(self.reach * self.spread, self.rule.most - 1.0)
        if 1.0 + room < ratio <= most or is_missed:
            # By how much a bound was too narrow for a frame that began late does not show: two steps.
            grown = self.reach * rule.grow * rule.grow if is_missed else self.reach * rule.grow
            self.reach = min(grown, (rule.most - 1.0) / self.spread)
        else:
            self.reach = max(self.reach * rule.shrink, LEAST_REACH)
        # A frame that was late for another reason than its length needed what it has widened the bound to.
        self._rooms.append(max(abs(ratio - 1.0), self.reach * self.spread if is_missed else 0.0))
        if len(self._rooms) == rule.window:
            self._cap = max(rule.room * max(self._rooms), rule.least_room)

    def _is_other_level(self, tolerance: float) -> bool:
        """Return whether the last frames show a level of their own; at first any three do."""
        recent = self._recent
        if len(recent) >= 2 and min(recent[-2:]) > 1.0 + tolerance:
            return True
        return len(recent) == RECENT and (not self.is_known or max(recent) < 1.0 - tolerance)

    def _change_level(self, parts: Sequence[tuple[int, float]], level: float, tolerance: float) -> None:
        """Start anew from what the last frames took, in what was expected."""
        home = parts[0][0]
        is_settled = self._seen[home] >= self.rule.settled
        is_undone = abs(level * self._jump - 1.0) <= tolerance
        self._scale(parts, level, is_settled or is_undone or not self.is_known)
        self._jump = level if is_settled else 1.0
        self._seen[home], self._recent, self.is_known = len(self._recent), [], True

    def _scale(self, parts: Sequence[tuple[int, float]], factor: float, is_common: bool) -> None:
        """Correct the clusters of a frame, and the others where it speaks for the whole device."""
        own = [cluster for cluster, _ in parts]
        for cluster, before in enumerate(self.of_cluster):
            if is_common or cluster in own:
                self.of_cluster[cluster] = min(max(before * factor, self.rule.low), self.rule.high)
