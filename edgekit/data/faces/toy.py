"""Faces of ellipses, drawn in a millisecond: for tests, where artists' faces take too long."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from edgekit.data.faces.face import FACE_CLASSES, Face

_SIDE = 128
_CENTRE = 64.0
_HEAD = (26.0, 34.0)  # half axes
# class, half axes, distance from the centre of the head; eyes and brows are there twice
_PARTS = (
    ("eyes", (5, 3), (11, -5)),
    ("brows", (7, 2), (11, -13)),
    ("nose", (3, 6), (0, 5)),
    ("mouth", (10, 4), (0, 19)),
)


def draw_toy_face(rng: np.random.Generator) -> Face:
    """Return a face whose colours, hair and parts' places are drawn by ``rng``."""
    picture = Image.new("RGBA", (_SIDE, _SIDE))
    labels = Image.new("L", (_SIDE, _SIDE))
    wide, high = _HEAD

    def ellipse(name: str, x: float, y: float, half: tuple[float, float], colour: tuple[int, ...]) -> None:
        box = (x - half[0], y - half[1], x + half[0], y + half[1])
        ImageDraw.Draw(picture).ellipse(box, fill=(*colour, 255))
        ImageDraw.Draw(labels).ellipse(box, fill=FACE_CLASSES.index(name))

    skin = tuple(int(v) for v in np.array([150, 105, 80]) + rng.integers(0, 90))
    hair = tuple(int(v) for v in rng.integers(10, 130, 3))
    longer = float(rng.uniform(2, 26))
    ellipse("hair", _CENTRE, _CENTRE - 10 + longer / 2, (wide + 8, high + longer / 2), hair)
    ellipse("skin", _CENTRE, _CENTRE + 4, (wide, high - 4), skin)
    for name, half, (across, down) in _PARTS:
        colour = tuple(int(v) for v in rng.integers(0, 90, 3))
        down += float(rng.uniform(-2, 2))
        for x in {_CENTRE - across, _CENTRE + across}:
            ellipse(name, x, _CENTRE + down, half, colour)
    box = (_CENTRE - wide, _CENTRE - high, _CENTRE + wide, _CENTRE + high)
    return Face(np.asarray(picture), np.asarray(labels), box)
