"""The lower convex hull of points: which of them a mixture can be made of. Pure arithmetic, no numpy."""

from __future__ import annotations

from collections.abc import Sequence


def lower_hull(times: Sequence[float], energies: Sequence[float]) -> list[int]:
    """Return which points no other one, nor a mixture of two, beats in time and energy; the fastest first.

    Args:
        times, energies: per unit of work, one pair for each point.

    Example:
        >>> lower_hull([1.0, 2.0, 3.0, 4.0], [9.0, 8.0, 2.0, 5.0])
        [0, 2]
    """
    hull: list[int] = []
    order = sorted(range(len(times)), key=lambda i: (times[i], energies[i]))
    for index in order:  # the cheapest of equally fast ones first
        if hull and energies[index] >= energies[hull[-1]]:
            continue
        while len(hull) >= 2 and _is_above(hull[-2], hull[-1], index, times, energies):
            hull.pop()
        hull.append(index)
    return hull


def _is_above(left: int, middle: int, right: int, times: Sequence[float], energies: Sequence[float]) -> bool:
    share = (times[middle] - times[left]) / (times[right] - times[left])
    return energies[middle] >= energies[left] + share * (energies[right] - energies[left])
