"""Which frame rate one user calls smooth, from yes and no: two staircases, interleaved at random.

After a yes a staircase shows fewer frames, after a no more (1 up, 1 down: Levitt, Transformed up-down methods
in psychoacoustics, 1971), so that it comes to stand about where half of the answers are yes. One begins at
the top, one at the bottom, and which is next is drawn, so that nobody knows what he will see. What is found
is the geometric mean of where answers turned, without the first turn of each.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

_STEP = 1.15  # between two rates: about as little as users tell apart
_FIRST_STEPS = 3  # rungs at a time, until answers turn for the first time
LOWEST_FPS = 6.0  # a slide show to everybody
_TURNS, _KEPT = 5, 4  # of a staircase: that it ends with, and that count
_MOST = 14  # showings of a staircase: of somebody who says yes, or no, to everything


@dataclass(frozen=True)
class Showing:
    """A frame rate that was shown, and what was said of it."""

    fps: float
    is_smooth: bool


@dataclass(frozen=True)
class Threshold:
    """Where answers turn.

    Attributes:
        fps: from which on more answers are yes than no.
        low_fps, high_fps: between which they turned.
        showings: in their order.
    """

    fps: float
    low_fps: float
    high_fps: float
    showings: tuple[Showing, ...]


@dataclass
class _Staircase:
    rungs: tuple[float, ...]
    at: int
    turns_fps: list[float] = field(default_factory=list)
    shown: int = 0
    last: Showing | None = None

    @property
    def is_over(self) -> bool:
        return len(self.turns_fps) >= _TURNS or self.shown >= _MOST

    def take(self, showing: Showing) -> None:
        self.shown += 1
        if self.last is not None and self.last.is_smooth != showing.is_smooth:
            self.turns_fps.append(math.sqrt(self.last.fps * showing.fps))
        self.last = showing
        step = 1 if self.turns_fps else _FIRST_STEPS
        self.at = min(max(self.at + (step if showing.is_smooth else -step), 0), len(self.rungs) - 1)


def rungs_of(most_fps: float) -> tuple[float, ...]:
    """Return the frame rates of a staircase, from ``most_fps`` down.

    Example:
        >>> [round(fps) for fps in rungs_of(60.0)[:5]]
        [60, 52, 45, 39, 34]
    """
    count = max(math.floor(math.log(most_fps / LOWEST_FPS, _STEP)), 1)
    return tuple(most_fps / _STEP**rung for rung in range(count + 1))


def find_threshold(
    most_fps: float, show: Callable[[float], float], ask: Callable[[int], bool], seed: int = 0
) -> Threshold:
    """Return what a user calls smooth.

    Args:
        most_fps: that the display shows.
        show: shows a movement at a frame rate, and returns what was really displayed.
        ask: whether the movement of this number, from 1 on, was smooth enough.
        seed: of the order of the staircases.

    Example:
        >>> found = find_threshold(60.0, show=lambda fps: fps, ask=lambda number: True)
        >>> round(found.fps)  # of somebody to whom all is smooth
        6
    """
    rungs, order = rungs_of(most_fps), random.Random(seed)
    stairs = [_Staircase(rungs, 0), _Staircase(rungs, len(rungs) - 1)]
    showings: list[Showing] = []
    while open_ones := [each for each in stairs if not each.is_over]:
        stair = order.choice(open_ones)
        shown_fps = show(rungs[stair.at])
        showing = Showing(shown_fps, ask(len(showings) + 1))
        showings.append(showing)
        stair.take(showing)
    turns_fps = [fps for each in stairs for fps in each.turns_fps[1:][-_KEPT:]]
    if not turns_fps:  # all answers were alike
        ends = [each.last.fps for each in stairs if each.last is not None]
        turns_fps = [min(ends) if showings[-1].is_smooth else max(ends)]
    low_fps, high_fps = min(turns_fps), max(turns_fps)
    mean_fps = math.exp(sum(map(math.log, turns_fps)) / len(turns_fps))
    return Threshold(min(max(mean_fps, low_fps), high_fps), low_fps, high_fps, tuple(showings))
