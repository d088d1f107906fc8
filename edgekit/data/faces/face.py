"""A face without surroundings, and what the pixels of faces can be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FACE_CLASSES = ("background", "skin", "hair", "nose", "eyes", "brows", "mouth")


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
