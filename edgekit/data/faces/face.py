"""A face without surroundings, and what the pixels of faces can be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FACE_CLASSES = ("background", "skin", "hair", "nose", "eyes", "brows", "mouth")
FACE_COLOURS = (
    (0, 0, 0),
    (240, 200, 160),
    (0, 160, 0),
    (255, 128, 0),
    (0, 80, 255),
    (120, 60, 0),
    (220, 0, 60),
)


@dataclass(frozen=True)
class Face:
    """One face on a transparent ground.

    Attributes:
        pixels: red, green, blue, alpha, uint8, shape (H, W, 4).
        labels: number of the class in ``FACE_CLASSES``, uint8, shape (H, W).
        box: left, top, right, bottom of the face without ears and hair, in pixels.
    """

    pixels: np.ndarray
    labels: np.ndarray
    box: tuple[float, float, float, float]
