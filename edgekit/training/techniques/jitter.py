"""Colour jitter: brightness, contrast and saturation of each training image are changed a little.

As in Krizhevsky et al. 2012 and all that followed, a factor for each, drawn evenly around 1: brightness
multiplies the pixels, contrast their distance from the image's mean grey, saturation their distance from
their own grey. All frames of a clip are changed alike. Ours computes on bytes, in this order, and rounds
once.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from edgekit.training.technique import Technique, register_technique

_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow's mode L


@register_technique("jitter")
class Jitter(Technique):
    """Changes the light and colours of training images; what lies where stays.

    Args:
        brightness, contrast, saturation: largest change of the factor: 0.2 draws from 0.8 to 1.2.

    Raises:
        ValueError: a number is out of range.
    """

    keeps_places: ClassVar[bool] = True

    def __init__(self, brightness: float = 0.2, contrast: float = 0.2, saturation: float = 0.2):
        self.most = (brightness, contrast, saturation)
        if not all(0 <= most <= 1 for most in self.most):
            raise ValueError(
                f"jitter: brightness={brightness}, contrast={contrast}, saturation={saturation}; "
                "each must be from 0 to 1"
            )

    def augment(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if not any(self.most):
            return pixels
        shape = (len(pixels), *[1] * (pixels.ndim - 1))
        light, contrast, colour = (
            rng.uniform(1 - most, 1 + most, shape).astype(np.float32) for most in self.most
        )
        changed = pixels * light
        middle = _grey(changed).mean(axis=tuple(range(1, pixels.ndim)), keepdims=True)
        changed = middle + (changed - middle) * contrast
        if pixels.shape[-1] == 3:
            grey = _grey(changed)
            changed = grey + (changed - grey) * colour
        return np.rint(changed).clip(0, 255).astype(np.uint8)


def _grey(pixels: np.ndarray) -> np.ndarray:
    """Return how bright pixels are, shape (..., 3) or (..., 1) -> (..., 1)."""
    return (pixels @ _GREY)[..., None] if pixels.shape[-1] == 3 else pixels
