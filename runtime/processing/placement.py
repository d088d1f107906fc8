"""Where a network's input lies in the original picture: coordinates there and back, one axis at a time.

Coordinates are continuous: pixel ``i`` reaches from ``i`` to ``i + 1``. RoI tanh-warping is by Lin et al.,
https://arxiv.org/abs/1906.01342; ours samples rows, then columns, for its two axes do not depend on each
other, and has no rotation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.bundle import ImageSpec
from runtime.bundle.prestep import BoxCrop, PreStep, TanhWarp, Whole
from runtime.errors import DataError
from runtime.extras import require
from runtime.processing.images import resized

if TYPE_CHECKING:
    import numpy as np

_FARTHEST = 1 << 20  # pixels; no photograph is so wide, and coordinates stay exact


@dataclass(frozen=True)
class Box:
    """A box in pixels of the upright picture."""

    left: float
    top: float
    right: float
    bottom: float

    @staticmethod
    def of(numbers: Sequence[float], width: int, height: int) -> Box:
        """Return the box of left, top, right, bottom in a picture of ``width`` times ``height`` pixels.

        Raises:
            DataError: it has no area, or lies outside the picture. It may reach over an edge.
        """
        told = ",".join(f"{number:g}" for number in numbers)
        if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
            raise DataError(f"box {told} has not four numbers; give left,top,right,bottom in pixels")
        box = Box(*map(float, numbers))
        if max(map(abs, numbers)) > _FARTHEST:
            raise DataError(
                f"box {told} reaches too far; give pixels within {_FARTHEST} of the picture's corner"
            )
        if box.right - box.left < 1 or box.bottom - box.top < 1:
            raise DataError(f"box {told} has no area; give left,top,right,bottom, each side 1 pixel at least")
        if box.left >= width or box.top >= height or box.right <= 0 or box.bottom <= 0:
            raise DataError(f"box {told} lies outside the picture, {width}x{height} pixels; give one inside")
        return box


@dataclass(frozen=True)
class LinearAxis:
    """``input = (picture - offset) * scale``."""

    offset: float
    scale: float

    def to_input(self, picture: np.ndarray) -> np.ndarray:
        """Return coordinates in the network's input for those in the picture."""
        return (picture - self.offset) * self.scale

    def to_picture(self, inputs: np.ndarray) -> np.ndarray:
        """Return coordinates in the picture for those in the network's input."""
        return inputs / self.scale + self.offset


@dataclass(frozen=True)
class TanhAxis:
    """``input = (tanh((picture - centre) / half) + 1) / 2 * size``: the box takes tanh(1) = 0.76 of it."""

    centre: float
    half: float
    size: int

    def to_input(self, picture: np.ndarray) -> np.ndarray:
        """As ``LinearAxis.to_input``."""
        np = require("numpy", extra="images")
        return (np.tanh((picture - self.centre) / self.half) + 1) / 2 * self.size

    def to_picture(self, inputs: np.ndarray) -> np.ndarray:
        """As ``LinearAxis.to_picture``; the edges of the input lie infinitely far away."""
        np = require("numpy", extra="images")
        with np.errstate(divide="ignore"):
            return self.centre + self.half * np.arctanh(np.clip(2 * inputs / self.size - 1, -1, 1))


Axis = LinearAxis | TanhAxis


@dataclass(frozen=True)
class Placement:
    """Where a network's square input of ``size`` pixels lies in a picture of ``width`` times ``height``."""

    x: Axis
    y: Axis
    size: int
    width: int
    height: int


def place(pre: PreStep, spec: ImageSpec, width: int, height: int, box: Sequence[float] | None) -> Placement:
    """Return where the input that ``pre`` makes lies in the picture.

    Args:
        width, height: of the upright picture in pixels.
        box: left, top, right, bottom; of the pre-steps that need one.

    Raises:
        DataError: no box where one is needed, or one that ``Box.of`` refuses.

    Example:
        >>> image = ImageSpec(size=64, resize=64, mean=(0.0,) * 3, std=(1.0,) * 3)
        >>> place(Whole(), image, 128, 256, None).y.to_picture(32.0)
        128.0
    """
    if isinstance(pre, Whole):
        x, y = LinearAxis(0.0, spec.size / width), LinearAxis(0.0, spec.size / height)
        return Placement(x, y, spec.size, width, height)
    if not isinstance(pre, BoxCrop | TanhWarp):
        wide, high = resized(width, height, spec)
        left, top = (wide - spec.size) // 2, (high - spec.size) // 2
        return Placement(
            LinearAxis(left * width / wide, wide / width),
            LinearAxis(top * height / high, high / height),
            spec.size,
            width,
            height,
        )
    if box is None:
        raise DataError("this bundle needs to know where to look; give --box left,top,right,bottom in pixels")
    checked = Box.of(box, width, height)
    axes = [
        _axis(pre, spec.size, low, high)
        for low, high in ((checked.left, checked.right), (checked.top, checked.bottom))
    ]
    return Placement(axes[0], axes[1], spec.size, width, height)


def _axis(pre: BoxCrop | TanhWarp, size: int, low: float, high: float) -> Axis:
    centre, half = (low + high) / 2, (high - low) / 2
    if isinstance(pre, TanhWarp):
        return TanhAxis(centre, half, size)
    return LinearAxis(centre - half * pre.margin, size / (2 * half * pre.margin))
