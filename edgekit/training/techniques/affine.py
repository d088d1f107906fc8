"""Turned and zoomed images, with all that is known of places in them: masks, boxes, points.

Ours: what a turn brings in from outside is the image's edge, repeated, as the recipe's own shifts do; a box
becomes the one around its turned corners.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgekit.data import Affine, Move
from edgekit.training.technique import Technique, register_technique


@register_technique("affine")
class RandomAffine(Technique):
    """Turns and zooms training images around their middle.

    Args:
        degrees: largest turn in either direction.
        zoom: largest change of size: 0.2 is from 1 / 1.2 to 1.2 times.

    Raises:
        ValueError: a number is out of range.
    """

    def __init__(self, degrees: float = 10.0, zoom: float = 0.2):
        if not (0 <= degrees <= 180 and 0 <= zoom <= 4):
            raise ValueError(
                f"affine: degrees={degrees}, zoom={zoom}; degrees must be from 0 to 180, zoom from 0 to 4"
            )
        self.degrees, self.zoom = degrees, zoom

    def moves(self, count: int, size: int, rng: np.random.Generator) -> Sequence[Move]:
        is_off = self.degrees == self.zoom == 0
        return () if is_off else (Affine.draw(count, size, self.degrees, self.zoom, rng),)
