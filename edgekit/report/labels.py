"""Put names beside points so that they cover neither each other nor any point or curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

LINE_HEIGHT = 15.0
STEP = 4.0  # between the places that stand for a curve: narrower than any name is high
_CHARACTER = 6.7  # width of one, generously, at the plot's font size
_BOLD_CHARACTER = 7.6
_DISTANCES = (12, 15, 20, 27, 35, 44, 54, 66, 80, 96, 116, 140, 170, 205)
_DIRECTIONS = 24
_CLEARANCE = 2.0  # between a name and a curve


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


def width_of(text: str, *, is_bold: bool = False) -> float:
    """Return how wide ``text`` may be at the plot's font size."""
    return (_BOLD_CHARACTER if is_bold else _CHARACTER) * len(text)


def place_label(
    text: str,
    x: float,
    y: float,
    frame: Box,
    taken: Sequence[Box],
    points: np.ndarray,
    *,
    is_bold: bool = False,
) -> Label:
    """Return the place for ``text`` near (x, y) that covers least of what is ``taken`` and of the points.

    Args:
        frame: is not left.
        taken: boxes of other labels.
        points: positions to keep visible, curves as points ``STEP`` apart, shape (n, 2).
        is_bold: the text is wider.
    """
    boxes = _around(x, y, width_of(text, is_bold=is_bold), frame)
    leads = np.stack([lead_to(Box(*box), x, y) for box in boxes])  # (n_boxes, n_steps, 2)
    others = np.array([(box.left, box.top, box.right, box.bottom) for box in taken]).reshape(-1, 4)
    cost = (
        1000.0 * _count_inside(points, _grown(boxes))
        + 1000.0 * _overlaps(_grown(boxes), others)
        + 300.0 * _crossed(leads, others)
        + np.hypot(leads[:, -1, 0] - x, leads[:, -1, 1] - y)
    )
    left, top, right, bottom = (float(side) for side in boxes[int(np.argmin(cost))])
    return Label(text, left, bottom - 4, Box(left, top, right, bottom))


def lead_to(box: Box, x: float, y: float) -> np.ndarray:
    """Return places along the line from (x, y) to the nearest point of ``box``, shape (n, 2)."""
    near = np.array([min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)])
    share = np.linspace(0.0, 1.0, 12)[:, None]
    return np.asarray((1 - share) * (x, y) + share * near)


def along(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points ``STEP`` apart on the line through ``places``."""
    found = list(places[:1])
    for (x0, y0), (x1, y1) in pairwise(places):
        count = max(1, int(np.hypot(x1 - x0, y1 - y0) / STEP))
        found += [(x0 + i / count * (x1 - x0), y0 + i / count * (y1 - y0)) for i in range(1, count + 1)]
    return found


def _around(x: float, y: float, width: float, frame: Box) -> np.ndarray:
    """Return boxes around (x, y) inside ``frame``, shape (n, 4)."""
    angle = np.linspace(0.0, 2.0 * np.pi, _DIRECTIONS, endpoint=False)
    distance = np.array(_DISTANCES)[:, None]
    # A box is as far away as its nearest side: to the left of the place it ends there, above it stands there.
    left = (x + distance * np.cos(angle) + (np.cos(angle) - 1.0) / 2.0 * width).ravel()
    middle = (y + distance * np.sin(angle) + np.sin(angle) / 2.0 * LINE_HEIGHT).ravel()
    left = np.clip(left, frame.left, max(frame.left, frame.right - width))
    top = np.clip(middle - LINE_HEIGHT / 2.0, frame.top, frame.bottom - LINE_HEIGHT)
    return np.stack([left, top, left + width, top + LINE_HEIGHT], axis=1)


def _grown(boxes: np.ndarray) -> np.ndarray:
    return boxes + np.array([-_CLEARANCE, -_CLEARANCE, _CLEARANCE, _CLEARANCE])


def _count_inside(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    x, y = points[None, :, 0], points[None, :, 1]
    sides = boxes[:, :, None]
    inside = (x >= sides[:, 0]) & (x <= sides[:, 2]) & (y >= sides[:, 1]) & (y <= sides[:, 3])
    return np.asarray(inside.sum(axis=1))


def _overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how many of ``others`` each box touches."""
    one, other = boxes[:, None, :], others[None, :, :]
    apart = (one[..., 0] >= other[..., 2]) | (one[..., 2] <= other[..., 0])
    apart |= (one[..., 1] >= other[..., 3]) | (one[..., 3] <= other[..., 1])
    return np.asarray((~apart).sum(axis=1))


def _crossed(leads: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how many of ``others`` the lead of each box runs through."""
    x, y = leads[:, :, None, 0], leads[:, :, None, 1]
    inside = (x >= others[:, 0]) & (x <= others[:, 2]) & (y >= others[:, 1]) & (y <= others[:, 3])
    return np.asarray(inside.any(axis=1).sum(axis=1))
