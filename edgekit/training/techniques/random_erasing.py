"""Random erasing: a rectangle of noise hides a part of an image, so that no part alone decides.

Paper: Zhong et al., "Random Erasing Data Augmentation", https://arxiv.org/abs/1708.04896, algorithm 1:
area S_e = U(s_l, s_h) * S, aspect r_e = U(r_1, 1 / r_1), H_e = sqrt(S_e * r_e), W_e = sqrt(S_e / r_e),
drawn again until the rectangle fits. The fill is the paper's best, a random value per pixel and
colour. Ours differs in that it gives up after 100 draws, which leaves the image as it is. (Kornia's
and torchvision's fill with one value, draw from torch's global generator, and mean another range of
areas and aspects.)
"""

from __future__ import annotations

import math

import numpy as np

from edgekit.training.technique import Technique, register_technique

_TRIES = 100


@register_technique("random-erasing")
class RandomErasing(Technique):
    """Erases a rectangle of training images.

    Args:
        probability: of an image to lose a part.
        least, most: of the image's area, s_l and s_h.
        aspect: least ratio of height to width, r_1; the largest is 1 / r_1.

    Raises:
        ValueError: a number is out of range.
    """

    def __init__(self, probability: float = 0.5, least: float = 0.02, most: float = 0.4, aspect: float = 0.3):
        if not (0 <= probability <= 1 and 0 < least <= most <= 1 and 0 < aspect <= 1):
            raise ValueError(
                f"random-erasing: probability={probability}, least={least}, most={most}, aspect={aspect}; "
                "probability must be from 0 to 1, 0 < least <= most <= 1, and aspect above 0, at most 1"
            )
        self.probability, self.least, self.most, self.aspect = probability, least, most, aspect

    def augment(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if not self.probability:
            return pixels
        erased = pixels.copy()
        for index in np.flatnonzero(rng.random(len(pixels)) < self.probability):
            if box := self._box(*pixels.shape[1:3], rng):
                top, left, height, width = box
                part = erased[index, top : top + height, left : left + width]
                part[...] = rng.integers(0, 256, size=part.shape, dtype=np.uint8)
        return erased

    def _box(self, rows: int, columns: int, rng: np.random.Generator) -> tuple[int, int, int, int] | None:
        """Return top, left, height and width of a rectangle that fits, or ``None``."""
        for _ in range(_TRIES):
            area = rng.uniform(self.least, self.most) * rows * columns
            aspect = rng.uniform(self.aspect, 1 / self.aspect)
            height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 1 <= height <= rows and 1 <= width <= columns:
                top, left = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
                return int(top), int(left), height, width
        return None
