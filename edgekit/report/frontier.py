"""Which points are worth having: none of their group is both faster and cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.report.pareto import Point


def frontier(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats in both FPS and cost, the slowest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (-p.fps, p.cost)):
        if not kept or point.cost < kept[-1].cost:
            kept.append(point)
    return kept[::-1]
