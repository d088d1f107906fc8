"""When to follow a decision: at once where what runs is too slow, to a cheaper one after a calm while."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Calm:
    """Frames in a row that asked for something cheaper, and what it would have saved in them.

    Attributes:
        saved: sum of the shares of each frame's cost.
    """

    frames: int = 0
    saved: float = 0.0


@dataclass(frozen=True)
class Hysteresis:
    """Keeps a clock from being changed to and fro, which costs time and energy each time.

    What saves little is worth a change, too, if it saves it for long: a change is made once staying has cost
    as much as a change does, so that whoever changes at a bad moment loses at most that twice (the ski rental
    problem; Karlin et al., Competitive snoopy caching, Algorithmica 1988).

    Attributes:
        frames: in a row that must ask for a cheaper choice before it is taken. Eight are a quarter of a
            second at 30 FPS: more save changes, each of which stops the frame for a moment, and stay at
            the expensive choice for longer. Chosen, not measured on its own.
        gain: share of the cost that a cheaper choice must save in as many frames; one that saves a tenth of
            it takes ten times as many. Eight times one percent is about what a change that stops a frame of
            20 ms for half a millisecond costs, there and back, with the cold caches after it.
    """

    frames: int = 8
    gain: float = 0.01

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise ValueError(f"frames is {self.frames}; it must be at least 1, which follows at once")
        if not 0 <= self.gain < 1:
            raise ValueError(f"gain is {self.gain}; it must be from 0 to below 1")

    @property
    def least_saved(self) -> float:
        """What frames in a row must come to, in costs of a frame."""
        return self.gain * self.frames

    def step(self, cost: float, wanted_cost: float, calm: Calm) -> tuple[bool, Calm]:
        """Return whether to leave what runs for what is wanted, and how calm it has been.

        Args:
            cost: of what runs; infinite where it is too slow, or nothing runs yet.
            wanted_cost: of what was decided.
            calm: up to now.

        Example:
            >>> Hysteresis(frames=2).step(5.0, 3.0, Calm())
            (False, Calm(frames=1, saved=0.4))
            >>> Hysteresis(frames=2).step(5.0, 3.0, Calm(1, 0.4))
            (True, Calm(frames=0, saved=0.0))
        """
        if cost == math.inf:
            return True, Calm()
        if not wanted_cost < cost:
            return False, Calm()
        after = Calm(calm.frames + 1, calm.saved + (1.0 - wanted_cost / cost))
        is_left = after.frames >= self.frames and after.saved >= self.least_saved
        return is_left, Calm() if is_left else after
