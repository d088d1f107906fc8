"""The least energy that frames can take, with everything known: what no policy can go below.

One core at a time works, each frame's work may be done at any time between its arrival and its deadline, and
any mean speed costs what the best mix of points and of waiting costs: the lower convex hull of power over
speed. That is a linear program whose solution is known in closed form: because arrivals and deadlines rise
together, the work done over time is the shortest line between what has arrived and what is due (the taut
string; Yao, Demers and Shenker, "A scheduling model for reduced CPU energy", FOCS 1995, for deadlines in one
order). It is the least for every convex power, so only the sum depends on the account. Changes of point cost
nothing here.

A frame that a policy had late is due when that policy had it done, so that no policy is held against a bound
that keeps deadlines it did not, and none can be below its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from runtime.choose.simulation import Frames

_Corner = tuple[float, float]  # moment, work done by then
_RESOLUTION_MS = 1e-6  # moments nearer than this are one: sums of periods differ by less


@dataclass(frozen=True, eq=False)
class Pace:
    """The speed of least energy over time: ``speed[i]`` (work per ms) for ``duration_ms[i]``."""

    duration_ms: np.ndarray
    speed: np.ndarray

    def energy_uj(self, hull: PowerHull) -> float:
        """Return what it takes above waiting."""
        return float(self.duration_ms @ hull.power_mw(self.speed))


class PowerHull:
    """Least power for a mean speed, by mixing points and waiting.

    Args:
        speed: work per ms of each point.
        power_mw: of each point above waiting.

    Example:
        >>> hull = PowerHull(np.array([1.0, 2.0]), np.array([10.0, 40.0]))
        >>> hull.power_mw(np.array([0.5, 1.0, 1.5])).tolist()
        [5.0, 10.0, 25.0]
    """

    def __init__(self, speed: np.ndarray, power_mw: np.ndarray):
        corners = [(0.0, 0.0)]
        top = float(speed.max())
        for corner in sorted(zip(speed.tolist(), power_mw.tolist(), strict=True)):
            while len(corners) > 1 and _is_above(corners[-2], corners[-1], corner):
                corners.pop()
            if corner[0] > corners[-1][0]:
                corners.append(corner)
        assert corners[-1][0] == top
        self._speed, self._power_mw = (np.array(column) for column in zip(*corners, strict=True))

    def power_mw(self, speed: np.ndarray) -> np.ndarray:
        """Return the least power at mean speeds up to the fastest point's."""
        return np.interp(speed, self._speed, self._power_mw)


def _is_above(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    """Return whether ``middle`` lies on or above the line from ``left`` to ``right``."""
    (x0, y0), (x1, y1), (x2, y2) = left, middle, right
    return (y1 - y0) * (x2 - x0) >= (y2 - y0) * (x1 - x0)


def paces(frames: Frames, finish_ms: np.ndarray) -> list[Pace]:
    """Return the pace of least energy of each lane.

    Args:
        finish_ms: when the policy had each frame done, shape (n_lanes, n_frames): a late one is due then.
    """
    due_ms = np.maximum(frames.deadline_ms, finish_ms)
    lanes = zip(frames.arrival_ms, due_ms, frames.work, strict=True)
    return [pace(*lane) for lane in lanes]


def pace(arrival_ms: np.ndarray, due_ms: np.ndarray, work: np.ndarray) -> Pace:
    """Return the pace of least energy of one lane; arrays of shape (n_frames,), both moments rising."""
    arrival_ms, due_ms = (np.round(each / _RESOLUTION_MS) * _RESOLUTION_MS for each in (arrival_ms, due_ms))
    moment_ms = np.unique(np.concatenate([arrival_ms, due_ms]))
    total = np.concatenate([[0.0], np.cumsum(work)])
    most = total[np.searchsorted(arrival_ms, moment_ms, side="left")]  # arrived before that moment
    least = total[np.searchsorted(due_ms, moment_ms, side="right")]  # due by then
    return _taut(moment_ms.tolist(), least.tolist(), most.tolist())


def _taut(moment_ms: list[float], least: list[float], most: list[float]) -> Pace:
    """Return the slopes of the shortest line that passes between ``least`` and ``most`` at each moment."""
    last = len(moment_ms) - 1
    line = [(moment_ms[0], 0.0)]  # where it bends
    # A funnel: from the last bend that is certain, the lines that keep closest below ``most`` and above
    # ``least``.
    below, above = deque(line), deque(line)
    for index in range(1, last + 1):
        _extend(below, above, (moment_ms[index], most[index]), 1.0, line)
        if index < last:
            _extend(above, below, (moment_ms[index], least[index]), -1.0, line)
    line += list(below)[1:]
    moments_ms, done = (np.array(column) for column in zip(*line, strict=True))
    durations_ms = np.diff(moments_ms)
    return Pace(durations_ms, np.diff(done) / durations_ms)


def _extend(
    own: deque[_Corner], other: deque[_Corner], corner: _Corner, sign: float, line: list[_Corner]
) -> None:
    """Lead one side of the funnel to ``corner``; where it crosses the other side, the line bends there.

    Args:
        sign: 1 for the upper side, whose slopes rise, -1 for the lower one.
    """
    while len(own) > 1 and sign * (_slope(own[-2], own[-1]) - _slope(own[-1], corner)) >= 0:
        own.pop()
    if len(own) == 1:
        while len(other) > 1 and sign * (_slope(own[0], corner) - _slope(other[0], other[1])) < 0:
            other.popleft()
            own[0] = other[0]
            line.append(own[0])
    own.append(corner)


def _slope(begin: _Corner, end: _Corner) -> float:
    return (end[1] - begin[1]) / (end[0] - begin[0])
