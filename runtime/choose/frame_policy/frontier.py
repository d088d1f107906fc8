"""Points worth using within a frame.

Speed over the course of a frame whose work is known only as a distribution should rise: the last part of a
frame that runs long is rare, so it may cost (Yao, Demers and Shenker, FOCS 1995; Lorch and Smith, "Improving
dynamic voltage scaling algorithms with PACE", SIGMETRICS 2001). What such a schedule mixes lies on the lower
convex hull of energy over time per unit of work; here of a table over several clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Frontier:
    """Points worth using, slowest first: on the lower convex hull of energy over time per unit of work.

    Attributes:
        point: index of each in the caller's table.
        time: ms per unit of work.
        energy: uJ per unit of work.
    """

    point: np.ndarray
    time: np.ndarray
    energy: np.ndarray


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
    order = np.array(hull[::-1])
    return Frontier(order, time[order], energy[order])


def _above(left: int, middle: int, right: int, time: np.ndarray, energy: np.ndarray) -> bool:
    share = (time[middle] - time[left]) / (time[right] - time[left])
    return bool(energy[middle] >= energy[left] + share * (energy[right] - energy[left]))
