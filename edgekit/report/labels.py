"""Put names beside points so that they cover neither each other nor the points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LINE_HEIGHT = 15.0
_CHARACTER = 6.6  # width of one, generously, at the plot's font size
_DISTANCES = (12.0, 22.0, 34.0, 48.0, 64.0, 82.0)


@dataclass(frozen=True)
class Box:
    """A rectangle: left, top, right, bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Return the area both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)


@dataclass(frozen=True)
class Label:
    """A text with its baseline's start, and the box it fills."""

    text: str
    x: float
    y: float
    box: Box


def place_label(text: str, x: float, y: float, frame: Box, taken: Sequence[Box], points: np.ndarray) -> Label:
    """Return the place for ``text`` near (x, y) that covers least of what is ``taken`` and of the points.

    Args:
        frame: must not be left.
        taken: boxes of other labels.
        points: positions to keep visible, shape (n, 2).
    """
    width = _CHARACTER * len(text)

    def cost(box: Box) -> float:
        lead = lead_to(box, x, y)
        crossed = sum(int(_inside(lead, other).sum()) for other in taken)
        inside = box.overlap(frame)
        outside = (box.right - box.left) * (box.bottom - box.top) - inside
        low, high = (box.left - 4, box.top - 3), (box.right + 4, box.bottom + 3)
        covered = int(_inside(points, Box(*low, *high)).sum())
        away = abs((box.left + box.right) / 2 - x) + abs((box.top + box.bottom) / 2 - y)
        return (
            1000 * outside
            + 20 * sum(box.overlap(other) for other in taken)
            + 60 * covered
            + 60 * crossed
            + away
        )

    best = min(_around(x, y, width), key=cost)
    return Label(text, best.left, best.bottom - 4, best)


def lead_to(box: Box, x: float, y: float) -> np.ndarray:
    """Return places along the line from (x, y) to the nearest point of ``box``, shape (n, 2)."""
    near = np.array([min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)])
    share = np.linspace(0.0, 1.0, 9)[:, None]
    return np.asarray((1 - share) * (x, y) + share * near)


def _inside(places: np.ndarray, box: Box) -> np.ndarray:
    low, high = (box.left, box.top), (box.right, box.bottom)
    return np.asarray(np.all((places >= low) & (places <= high), axis=1))


def _around(x: float, y: float, width: float) -> list[Box]:
    """Return boxes around (x, y), near ones first."""
    boxes = []
    for distance in _DISTANCES:
        for left in (x + distance, x - width / 2, x - distance - width):
            for middle in (y - distance, y - distance / 2, y, y + distance / 2, y + distance):
                top = middle - LINE_HEIGHT / 2
                clear = left > x + 9 or left + width < x - 9 or abs(middle - y) > LINE_HEIGHT / 2 + 9
                if clear:
                    boxes.append(Box(left, top, left + width, top + LINE_HEIGHT))
    return boxes
