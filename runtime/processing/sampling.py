"""Pixels sampled along rows, then along columns: the two axes of a placement do not depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.extras import require
from runtime.processing.placement import Axis, Placement

if TYPE_CHECKING:
    import numpy as np


def picture_points(axis: Axis, size: int) -> np.ndarray:
    """Return where in the picture the centres of an input's ``size`` pixels lie, shape (size,), float64."""
    np = require("numpy", extra="images")
    return axis.to_picture(np.arange(size) + 0.5)


def input_points(axis: Axis, length: int) -> np.ndarray:
    """Return where in the input the centres of a picture's ``length`` pixels lie, shape (length,)."""
    np = require("numpy", extra="images")
    return axis.to_input(np.arange(length) + 0.5)


def sample_linear(pixels: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """Return ``pixels`` between their centres, black outside.

    Args:
        pixels: shape (H, W, C).
        ys, xs: coordinates of the rows and columns to sample, shapes (h,) and (w,).

    Returns:
        float32, shape (h, w, C).
    """
    np = require("numpy", extra="images")
    rows = _blend(np.asarray(pixels), ys)
    return _blend(rows.swapaxes(0, 1), xs).swapaxes(0, 1)


def sample_nearest(values: np.ndarray, ys: np.ndarray, xs: np.ndarray, outside: int) -> np.ndarray:
    """Return of ``values``, shape (H, W), those whose pixels hold the points; ``outside`` elsewhere.

    Returns:
        the same type, shape (len(ys), len(xs)).
    """
    np = require("numpy", extra="images")
    (rows, has_row), (columns, has_column) = (
        _pixel_of(points, length) for points, length in zip((ys, xs), values.shape, strict=True)
    )
    sampled = values[rows][:, columns]
    if has_row.all() and has_column.all():
        return sampled
    return np.where(has_row[:, None] & has_column, sampled, values.dtype.type(outside))


def labels_on_picture(labels: np.ndarray, placement: Placement, outside: int) -> np.ndarray:
    """Return the labels of a map of the input, shape (h, w), for each pixel of the picture."""
    rows = input_points(placement.y, placement.height) * (labels.shape[0] / placement.size)
    columns = input_points(placement.x, placement.width) * (labels.shape[1] / placement.size)
    return sample_nearest(labels, rows, columns, outside)


def labels_on_input(labels: np.ndarray, placement: Placement, size: int, outside: int) -> np.ndarray:
    """Return the labels of a picture, shape (H, W), for a map of ``size`` pixels a side of the input.

    How a trainer brings a true mask to where the network's scores are.
    """
    np = require("numpy", extra="images")
    points = (np.arange(size) + 0.5) * (placement.size / size)
    return sample_nearest(labels, placement.y.to_picture(points), placement.x.to_picture(points), outside)


def _blend(pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Blend the two entries of the first axis whose centres lie around each point; black outside."""
    np = require("numpy", extra="images")
    length = len(pixels)
    places = np.clip(points - 0.5, 0, length - 1)  # a warp reaches to infinity
    low = np.floor(places).astype(np.intp)
    is_inside = (points >= 0) & (points <= length)
    share = (places - low).astype(np.float32) * is_inside
    sides = (-1, *[1] * (pixels.ndim - 1))
    upper = pixels[np.minimum(low + 1, length - 1)] * share.reshape(sides)
    return pixels[low] * (is_inside - share).astype(np.float32).reshape(sides) + upper


def _pixel_of(points: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    np = require("numpy", extra="images")
    indices = np.floor(np.clip(points, -1.0, length)).astype(np.intp)
    return indices.clip(0, length - 1), (indices >= 0) & (indices < length)
