"""Fields: what is known of an image beside its pixels, and how that moves with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgekit.data.moves import Move
from runtime.bundle.result import Colour

UNCOUNTED = 255  # in a mask: a pixel whose class nobody knows
_LEAST_LEFT = 0.25  # of a box's area inside the image; what shows less is hardly to be recognised
_SIDE = re.compile(r"\b(left|right)\b|(?<![a-z])([lr])(?![a-z])")
_OTHER = {"left": "right", "right": "left", "l": "r", "r": "l"}


@dataclass(frozen=True)
class Field:
    """A field that no place in the image matters to.

    Attributes:
        moves: whether it stays true when the image is moved.
    """

    moves: ClassVar[bool] = True

    def moved(self, values: np.ndarray, move: Move) -> np.ndarray:
        """Return ``values``, shape (B, ...), as they are after ``move``."""
        return values


@dataclass(frozen=True)
class Fixed(Field):
    """A field that is true of the image as it was read only: such images are not moved."""

    moves: ClassVar[bool] = False


@dataclass(frozen=True)
class Label(Field):
    """A number: a class, or who this is; -1 where there is none.

    Attributes:
        names: of the numbers; empty: the dataset's ``labels``.
    """

    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity(Label):
    """Who this is: people to test on are others than those to train on."""


@dataclass(frozen=True)
class Caption(Field):
    """Sentences as numbers of ``words``, shape (B, ..., length); -1 after a sentence's end."""

    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mask(Field):
    """The class of each pixel, uint8, shape (B, ..., H, W); ``UNCOUNTED`` where nobody knows it.

    Attributes:
        names, palette: of the classes; empty: the dataset's ``labels``, and colours of our own.
        background: the class that is not drawn.
    """

    names: tuple[str, ...] = ()
    palette: tuple[Colour, ...] = ()
    background: int | None = 0

    def moved(self, values: np.ndarray, move: Move) -> np.ndarray:
        return move.classes(values)


@dataclass(frozen=True)
class Boxes(Field):
    """Left, top, right, bottom in pixels of the image, shape (B, ..., most, 4); zeros where there is none.

    Attributes:
        size: of the square image; a box is cut at its edge, and left out where less than a quarter is inside.
        classes: the field that holds their classes, shape (B, ..., most).
    """

    size: int
    classes: str = ""

    def moved(self, values: np.ndarray, move: Move) -> np.ndarray:
        left, top, right, bottom = np.moveaxis(values, -1, 0)
        corners = np.stack([left, top, right, top, left, bottom, right, bottom], axis=-1)
        corners = move.points(corners.reshape(*values.shape[:-1], 4, 2))
        boxes = np.concatenate([corners.min(axis=-2), corners.max(axis=-2)], axis=-1)
        is_there = (right > left) & (bottom > top)
        return cut_boxes(np.where(is_there[..., None], boxes, 0), self.size).astype(values.dtype)


@dataclass(frozen=True)
class Keypoints(Field):
    """Points x, y in pixels of the image and whether they are seen, shape (B, ..., K, 3).

    ``seen`` is as in COCO: 0 not known or outside, 1 hidden, 2 seen. A mirror makes a left eye a right one.

    Attributes:
        size: of the square image.
        points: their names; ``left`` and ``right``, or ``l`` and ``r``, in them change places in a mirror.
        bones: pairs of points to draw a line between.
    """

    size: int
    points: tuple[str, ...]
    bones: tuple[tuple[int, int], ...] = ()

    def moved(self, values: np.ndarray, move: Move) -> np.ndarray:
        moved = np.concatenate([move.points(values[..., :2]), values[..., 2:]], axis=-1)
        mirrored = move.mirrored.reshape(-1, *[1] * (values.ndim - 1))
        moved = np.where(mirrored, moved[..., self.opposite(), :], moved)
        return cut_points(moved, self.size).astype(values.dtype)

    def opposite(self) -> list[int]:
        """Return for each point the one that takes its place in a mirror."""
        number = {name: index for index, name in enumerate(self.points)}
        others = [_SIDE.sub(lambda m: _OTHER[m[0]], name.replace("_", " ")) for name in self.points]
        spaced = {name.replace("_", " "): index for name, index in number.items()}
        return [spaced.get(other, index) for index, other in enumerate(others)]


def cut_boxes(boxes: np.ndarray, size: int) -> np.ndarray:
    """Return ``boxes``, shape (..., 4), within a square image; zeros for those that are mostly outside."""
    cut = boxes.clip(0, size)
    area, inside = (np.prod(one[..., 2:] - one[..., :2], axis=-1) for one in (boxes, cut))
    is_left = (inside > 0) & (inside >= _LEAST_LEFT * area)
    return np.where(is_left[..., None], cut, 0)


def cut_points(points: np.ndarray, size: int) -> np.ndarray:
    """Return ``points``, shape (..., 3), those that are not known or outside a square image as zeros."""
    places, seen = points[..., :2], points[..., 2]
    is_inside = (seen > 0) & (places >= 0).all(axis=-1) & (places <= size).all(axis=-1)
    return np.where(is_inside[..., None], points, 0)
