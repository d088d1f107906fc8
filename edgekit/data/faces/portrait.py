"""A face set on a photograph, and the box that a detector would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from edgekit.data.faces.face import Face

PICTURE_SIDE = 256
SIZES = (0.1, 0.5)  # of the picture's side that a face's box may take
_TURN_DEG = 15.0
_STRETCH = 0.1  # of the width against the height
_NOISE = 7  # of 255, at most
_JITTER = 0.08  # of the box's side, by which each of its edges is off


@dataclass(frozen=True)
class Portrait:
    """A picture with one face.

    Attributes:
        picture: uint8, shape (PICTURE_SIDE, PICTURE_SIDE, 3).
        labels: of ``FACE_CLASSES``, uint8, shape (PICTURE_SIDE, PICTURE_SIDE).
        box: left, top, right, bottom in pixels, as inexact as a detector's.
    """

    picture: np.ndarray
    labels: np.ndarray
    box: tuple[float, float, float, float]


def compose(face: Face, photographs: Sequence[np.ndarray], rng: np.random.Generator) -> Portrait:
    """Return ``face`` turned, stretched and set anywhere on a crop of a photograph; ``rng`` decides."""
    ground = _crop(photographs[rng.integers(len(photographs))], rng)
    left, top, right, bottom = face.box
    high = PICTURE_SIDE * float(np.exp(rng.uniform(*np.log(SIZES))))
    zoom_y = high / (bottom - top)
    zoom_x = zoom_y * (1 + rng.uniform(-_STRETCH, _STRETCH))
    wide = zoom_x * (right - left)
    centre = [rng.uniform(side / 2, PICTURE_SIDE - side / 2) for side in (wide, high)]
    size = max(1, round(face.labels.shape[1] * zoom_x)), max(1, round(face.labels.shape[0] * zoom_y))
    middle = (left + right) / 2 * zoom_x, (top + bottom) / 2 * zoom_y
    turn = rng.uniform(-_TURN_DEG, _TURN_DEG)
    mirrored = rng.random() < 0.5
    # The face turns around the middle of its head, which then lies on ``centre``.
    offset = [round(at - within) for at, within in zip(centre, middle, strict=True)]

    def placed(values: np.ndarray, shrink: Image.Resampling, rotate: Image.Resampling) -> Image.Image:
        image = Image.fromarray(values[:, ::-1] if mirrored else values).resize(size, shrink)
        canvas = Image.new(image.mode, (PICTURE_SIDE, PICTURE_SIDE))
        canvas.paste(image, tuple(offset))
        return canvas.rotate(turn, rotate, center=tuple(centre))

    over = placed(face.pixels, Image.Resampling.BOX, Image.Resampling.BILINEAR)
    labels = placed(face.labels, Image.Resampling.NEAREST, Image.Resampling.NEAREST)
    picture = Image.fromarray(ground)
    picture.paste(over, (0, 0), over)
    return Portrait(
        _relit(np.asarray(picture), rng), np.asarray(labels), _jittered(centre, (wide, high), rng)
    )


def _crop(photograph: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a square part of a photograph, shape (PICTURE_SIDE, PICTURE_SIDE, 3)."""
    height, width = photograph.shape[:2]
    side = int(min(height, width) * rng.uniform(0.4, 1))
    top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    part = photograph[top : top + side, left : left + side]
    image = Image.fromarray(part[:, ::-1] if rng.random() < 0.5 else part)
    return np.asarray(image.resize((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.BILINEAR))


def _relit(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the picture in another light, with a sensor's noise."""
    light = rng.uniform(0.6, 1.2) * rng.uniform(0.9, 1.1, 3)
    noise = rng.integers(-_NOISE, _NOISE + 1, picture.shape, dtype=np.int8)
    return (picture * light + noise).clip(0, 255).astype(np.uint8)


def _jittered(
    centre: Sequence[float], size: tuple[float, float], rng: np.random.Generator
) -> tuple[float, float, float, float]:
    half = np.array(size) / 2
    off = rng.uniform(-_JITTER, _JITTER, (2, 2)) * size
    (left, top), (right, bottom) = centre - half + off[0], centre + half + off[1]
    return float(left), float(top), float(right), float(bottom)
