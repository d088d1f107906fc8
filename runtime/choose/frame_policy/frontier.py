"""Points worth using within a frame.

Speed over the course of a frame whose work is known only as a distribution should rise: the last part of a
frame that runs long is rare, so it may cost (Yao, Demers and Shenker, FOCS 1995; Lorch and Smith, "Improving
dynamic voltage scaling algorithms with PACE", SIGMETRICS 2001). What such a schedule mixes lies on the lower
convex hull of energy over time per unit of work; here of a table over several clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.choose.decision.hull import lower_hull


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
    order = np.array(lower_hull(time.tolist(), energy.tolist())[::-1])
    return Frontier(order, time[order], energy[order])
