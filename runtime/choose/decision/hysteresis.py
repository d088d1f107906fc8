"""When to follow a decision: at once where what runs is too slow, to a cheaper one after a calm while."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Hysteresis:
    """Keeps a clock from being changed to and fro, which costs time and energy each time.

    Attributes:
        frames: in a row that must ask for a cheaper choice before it is taken. Eight are a quarter of a
            second at 30 FPS: more save changes, each of which stops the frame for a moment, and stay at
            the expensive choice for longer. Chosen, not measured on its own.
        gain: share of the cost that a cheaper choice must save: less is within what tables are off by.
    """

    frames: int = 8
    gain: float = 0.01

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise ValueError(f"frames is {self.frames}; it must be at least 1, which follows at once")
        if not 0 <= self.gain < 1:
            raise ValueError(f"gain is {self.gain}; it must be from 0 to below 1")

    def step(self, cost: float, wanted_cost: float, calm: int) -> tuple[bool, int]:
        """Return whether to leave what runs for what is wanted, and how many calm frames have been counted.

        Args:
            cost: of what runs, less the gain; infinite where it is too slow, or nothing runs yet.
            wanted_cost: of what was decided.
            calm: frames counted up to now.

        Example:
            >>> Hysteresis(frames=2).step(5.0, 3.0, 0), Hysteresis(frames=2).step(5.0, 3.0, 1)
            ((False, 1), (True, 0))
        """
        if cost == math.inf:
            return True, 0
        if not wanted_cost < cost:
            return False, 0
        return (True, 0) if calm + 1 >= self.frames else (False, calm + 1)
