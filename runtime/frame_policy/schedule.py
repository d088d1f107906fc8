"""Speed over the course of a frame whose work is known only as a distribution.

A frame that runs long is rare, so its last part may cost: begin slowly, speed up the longer it lasts.
For work in bins of width dw and survival S (the share of frames that get that far) the expected energy
sum S_j e(s_j) dw_j is least, for a given time sum dw_j / s_j, where each bin minimises
S_j e(s) + lambda / s: an accelerating schedule (Lorch and Smith, "Improving dynamic voltage scaling
algorithms with PACE", SIGMETRICS 2001; Yao, Demers and Shenker, FOCS 1995). Ours differs: the points are
a table over several clusters, and how much of the tail is promised in time is itself chosen, by the
price of a late frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LAMBDAS = 48
_MIXED = np.array([0.98])  # of a slope: the first bins, which every frame runs, use two points
_SPACING = 1.10
_TILT = 0.003  # per bin: lets a schedule mix two points where every frame still runs


@dataclass(frozen=True, eq=False)
class Frontier:
    """Points worth using, slowest first: on the lower convex hull of energy over time per unit of work.

    Attributes:
        point: index of each in the caller's table.
        time: ms per unit of work.
        energy: uJ per unit of work.
        slope: energy per time from each to the next faster one, rising; shape (n - 1,).
    """

    point: np.ndarray
    time: np.ndarray
    energy: np.ndarray
    slope: np.ndarray


def frontier(speed: np.ndarray, power_mw: np.ndarray) -> Frontier:
    """Return the frontier of points of ``speed`` (work per ms) and ``power_mw`` above waiting."""
    time, energy = 1 / speed, power_mw / speed
    hull: list[int] = []
    for index in np.lexsort((energy, time)):  # fastest first, cheapest of equals first
        if hull and energy[index] >= energy[hull[-1]]:
            continue
        while len(hull) >= 2 and _above(hull[-2], hull[-1], int(index), time, energy):
            hull.pop()
        hull.append(int(index))
    order = np.array(_spaced(hull, time)[::-1])
    gain = np.diff(energy[order]) / -np.diff(time[order])
    return Frontier(order, time[order], energy[order], gain)


def _spaced(hull: list[int], time: np.ndarray) -> list[int]:
    """Return the points of ``hull``, fastest first, without those next to no slower than one kept.

    Each change of point stops the work for a moment: many close points cost more than they save.
    """
    kept = hull[:1]
    for index in hull[1:]:
        if time[index] >= _SPACING * time[kept[-1]]:
            kept.append(index)
    return kept if kept[-1] == hull[-1] else [*kept, hull[-1]]


def _above(left: int, middle: int, right: int, time: np.ndarray, energy: np.ndarray) -> bool:
    share = (time[middle] - time[left]) / (time[right] - time[left])
    return bool(energy[middle] >= energy[left] + share * (energy[right] - energy[left]))


@dataclass(frozen=True, eq=False)
class Schedules:
    """Every schedule worth considering, for a level of one unit of work; one row per (lane, lambda).

    Attributes:
        rung: of the frontier in each bin, shape (..., n_lambdas, n_bins).
        end: ms from the start to the end of each bin, same shape.
        energy: expected uJ if bins up to this one follow the schedule and later ones run at the fastest.
        beyond: share of frames longer than each bin, shape (..., 1, n_bins).
        excess: ms of work at the fastest point beyond each bin, averaged over all frames; same shape.
        mean: ms of work at the fastest point of the average frame, shape (...).
        changes: of point up to each bin, the one to the fastest behind it included, shape as ``end``.
        changing: expected uJ per ms that a change of point takes, same shape.
    """

    rung: np.ndarray
    end: np.ndarray
    energy: np.ndarray
    beyond: np.ndarray
    excess: np.ndarray
    mean: np.ndarray
    changes: np.ndarray
    changing: np.ndarray


def schedules(points: Frontier, edges: np.ndarray, survival: np.ndarray) -> Schedules:
    """Return the schedules for frames of which ``survival`` (..., n_bins) are longer than each edge."""
    width = np.diff(edges, prepend=0.0)
    alive = np.concatenate([np.ones_like(survival[..., :1]), survival[..., :-1]], axis=-1)
    alive = np.maximum(alive * (1 - _TILT * np.arange(len(edges))), 1e-6)[..., None, :]
    lambdas = np.array([np.inf])
    if points.slope.size:
        spread = np.geomspace(0.01 * points.slope[0], points.slope[-1], _LAMBDAS)
        lambdas = np.append(np.sort(np.append(spread, np.outer(points.slope, _MIXED))), np.inf)
    rung = np.searchsorted(points.slope, lambdas[:, None] / alive)
    end = np.cumsum(points.time[rung] * width, axis=-1)
    spent = np.cumsum(points.energy[rung] * alive * width, axis=-1)
    rest = np.cumsum((points.energy[-1] * alive * width)[..., ::-1], axis=-1)[..., ::-1]
    after = np.concatenate([rest[..., 1:], np.zeros_like(rest[..., :1])], axis=-1)
    left = np.cumsum((survival[..., :-1] * width[1:])[..., ::-1], axis=-1)[..., ::-1]
    excess = points.time[-1] * np.concatenate([left, np.zeros_like(survival[..., :1])], axis=-1)
    mean = points.time[-1] * (alive[..., 0, :] * width).sum(axis=-1)
    # Energy of a change: at the power of the point changed to, by the frames that get there.
    power = points.energy / points.time
    changed = np.diff(rung, axis=-1, prepend=rung[..., :1]) != 0
    to_fastest = rung != len(points.point) - 1
    beyond = survival[..., None, :]
    changing = np.cumsum(changed * alive * power[rung], axis=-1) + to_fastest * beyond * power[-1]
    changes = np.cumsum(changed, axis=-1) + to_fastest
    return Schedules(
        rung,
        *(
            each.astype(np.float32)  # half the memory to go through, for each frame
            for each in (end, spent + after, beyond, excess[..., None, :], mean, changes, changing)
        ),
    )
