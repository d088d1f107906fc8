"""A picture becomes the input of a flow; the trainer calls the same function as the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runtime.bundle import ImageSpec
from runtime.bundle.prestep import PreStep, ResizeCrop
from runtime.extras import require
from runtime.processing.images import in_channels, normalise, preprocess
from runtime.processing.placement import Axis, Placement, place
from runtime.processing.sampling import picture_points, sample_linear

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


def prepare(
    picture: Image.Image, pre: PreStep, spec: ImageSpec, box: Sequence[float] | None = None
) -> tuple[np.ndarray, Placement]:
    """Return ``picture`` as the input that ``pre`` and ``spec`` describe, and where it lies in the picture.

    Args:
        picture: upright, of any size and mode.
        box: left, top, right, bottom in pixels, of the pre-steps that need one.

    Returns:
        float32 of ``spec.shape``, and its placement.

    Raises:
        DataError: no box where one is needed, or one without area or outside; pixels without a known range.
    """
    placement = place(pre, spec, *picture.size, box)
    if isinstance(pre, ResizeCrop):
        return preprocess(picture, spec), placement
    return normalise(warp(in_channels(picture, spec.channels), placement)[None], spec), placement


def warp(picture: Image.Image, placement: Placement) -> np.ndarray:
    """Sample ``picture`` where the pixels of the input lie; black outside.

    Where the middle of the input is less than half as fine as the picture, the picture is first averaged
    over whole blocks of pixels: sampling every third pixel would make edges jump.

    Returns:
        float32 in [0, 1], shape (size, size, channels).
    """
    np = require("numpy", extra="images")
    blocks = _block(placement.x, placement.size), _block(placement.y, placement.size)
    reduced = picture.reduce(blocks) if max(blocks) > 1 else picture
    pixels = np.asarray(reduced)  # bytes still: only the rows that are sampled become floats
    xs, ys = (
        picture_points(axis, placement.size) / block
        for axis, block in zip((placement.x, placement.y), blocks, strict=True)
    )
    sampled = sample_linear(pixels.reshape(*pixels.shape[:2], -1), ys, xs)
    sampled /= 255
    return sampled


def _block(axis: Axis, size: int) -> int:
    """Return how many whole pixels of the picture lie in one in the middle of the input."""
    np = require("numpy", extra="images")
    low, high = axis.to_picture(np.array([size / 2 - 0.5, size / 2 + 0.5]))
    return max(1, int(high - low))
