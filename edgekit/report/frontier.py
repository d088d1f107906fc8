"""Ways to run a frame as points, and those worth having: none of their group is both faster and cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One way to run a frame.

    Attributes:
        group: decides the colour: the cluster.
        kind: decides the shape: the variant.
        ladder: points of one ladder are joined by a line, in order of FPS.
        fps, cost: where it stands; ``fps_low`` and ``fps_high`` bound the FPS.
        tip: shown when the point is touched.
    """

    group: str
    kind: str
    ladder: str
    fps: float
    cost: float
    tip: str
    fps_low: float | None = None
    fps_high: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the bounds of the FPS where they can be seen apart."""
        if self.fps_low is None or self.fps_high is None or self.fps_high - self.fps_low < 0.002 * self.fps:
            return None
        return self.fps_low, self.fps_high


def frontier(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats in both FPS and cost, the slowest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (-p.fps, p.cost)):
        if not kept or point.cost < kept[-1].cost:
            kept.append(point)
    return kept[::-1]
