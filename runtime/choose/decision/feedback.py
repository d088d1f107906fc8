"""How much slower than its table a device is now, learnt from each frame. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Feedback:
    """Follows latency over the table's upper bound: up in large steps, down in small ones.

    The fixed point is an expectile: steps of ``rise`` above and ``fall`` below balance where the mean
    excess times ``rise`` is the mean shortfall times ``fall`` (Newey and Powell, Econometrica 55, 1987).
    One slow frame costs a more expensive setting for some frames; one fast frame costs next to nothing.

    The defaults: half of the distance up, so that a device twice as slow is met after three frames by seven
    eighths; a tenth of that down, so that ten fast frames undo one slow one, which puts the fixed point at
    the expectile of 0.91. Higher ``rise`` follows noise, higher ``fall`` forgets a slow device between its
    slow frames. Between half and eight times the table the slowdown is believed; beyond, ``Trust`` decides.

    Attributes:
        rise, fall: share of the distance that one frame above or below moves the slowdown.
        low, high: what the slowdown is kept within.
    """

    rise: float = 0.5
    fall: float = 0.05
    low: float = 0.5
    high: float = 8.0

    def __post_init__(self) -> None:
        if not (0 < self.fall <= self.rise <= 1 and 0 < self.low <= 1 <= self.high < math.inf):
            raise ValueError(f"{self} cannot be; allowed: 0 < fall <= rise <= 1 and 0 < low <= 1 <= high")

    def next_slowdown(self, slowdown: float, latency_ms: float, latency_high_ms: float) -> float:
        """Return the slowdown after a frame.

        Args:
            slowdown: before it.
            latency_ms: that it took; one that cannot be (NaN, infinite, not above 0) changes nothing.
            latency_high_ms: the upper bound of the row it ran at.

        Example:
            >>> Feedback().next_slowdown(1.0, 30.0, 20.0)
            1.25
        """
        if not latency_high_ms > 0.0:
            return slowdown
        ratio = latency_ms / latency_high_ms
        if not 0.0 < ratio < math.inf:
            return slowdown
        distance = ratio - slowdown
        step = self.rise * distance if distance > 0.0 else self.fall * distance
        moved = slowdown + step
        return self.low if moved < self.low else self.high if moved > self.high else moved
