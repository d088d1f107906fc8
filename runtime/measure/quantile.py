"""Quantiles of a few samples without numpy, which a board need not have."""

from __future__ import annotations

from collections.abc import Iterable


def quantile(samples: Iterable[float], share: float) -> float:
    """Return the value below which ``share`` of the samples lie, between two of them on a straight line.

    Type 7 of Hyndman and Fan (1996), which is also numpy's.

    Args:
        share: 0 to 1; 0.5 is the median.

    Raises:
        ValueError: there are no samples.
    """
    ordered = sorted(samples)
    if not ordered:
        raise ValueError("there are no samples; give at least one")
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))
