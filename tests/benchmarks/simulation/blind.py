"""The least mean energy of frames whose work is known as a bell alone: beyond it there is nothing to learn.

Nobody who does not see a frame's work beforehand can go below it and keep the same share of frames in time.
The later a part of a frame is, the rarer it is needed, so the more it may cost (Lorch and Smith, "Improving
dynamic voltage scaling algorithms with PACE", SIGMETRICS 2001): time is taken from the parts where a moment
saved costs least, weighed by how often they are needed. That is exact for a convex frontier of energy over
time. Each frame begins when it arrives, and changes of point cost nothing.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from runtime.choose.frame_policy.frontier import frontier

_PARTS = 400  # of a frame's longest work


def least_blind_uj(
    speed: np.ndarray, power_mw: np.ndarray, deadline_ms: float, spread: float, late_share: float
) -> float | None:
    """Return the mean energy of a frame; ``None`` where no point is fast enough.

    Args:
        speed: of the points, in typical frames per ms.
        power_mw: of the points above waiting.
        deadline_ms: from a frame's arrival.
        spread: standard deviation of the work, as a share of a typical frame's.
        late_share: share of the frames that may be late; those are not finished here, and cost less for it.

    Example:
        >>> two = np.array([1.0, 2.0]), np.array([10.0, 40.0])
        >>> round(least_blind_uj(*two, deadline_ms=0.75, spread=1e-6, late_share=0.01), 2)
        15.0
    """
    points = frontier(speed, power_mw)  # the slowest and cheapest first
    bell = NormalDist(1.0, spread)
    longest = bell.inv_cdf(1 - late_share)
    width = longest / _PARTS
    needed = 1 - np.array([bell.cdf((part + 0.5) * width) for part in range(_PARTS)])
    time_ms = longest * points.time[0]
    energy_uj = float(needed.sum()) * width * points.energy[0]
    saved_ms, cost_uj = -np.diff(points.time), np.diff(points.energy)
    # Of each part and step to a faster point: how much a ms costs.
    price = needed[:, None] * cost_uj / saved_ms
    for index in np.argsort(price, axis=None):
        if time_ms <= deadline_ms:
            return float(energy_uj)
        part, step = divmod(int(index), len(saved_ms))
        share = min(1.0, (time_ms - deadline_ms) / (width * saved_ms[step]))
        time_ms -= share * width * saved_ms[step]
        energy_uj += share * width * needed[part] * cost_uj[step]
    return float(energy_uj) if time_ms <= deadline_ms * (1 + 1e-9) else None
