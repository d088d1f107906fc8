"""Pixels sampled along rows, then along columns: the two axes of a placement do not depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.extras import require
from runtime.processing.placement import Axis, Placement

if TYPE_CHECKING:
    import numpy as np


_BAND = 32  # rows that are sampled together: what that needs stays in a core's cache


def picture_points(axis: Axis, size: int) -> np.ndarray:
    """Return where in the picture the centres of an input's ``size`` pixels lie, shape (size,), float64."""
    np = require("numpy", extra="images")
    return axis.to_picture(np.arange(size) + 0.5)


def input_points(axis: Axis, length: int) -> np.ndarray:
    """Return where in the input the centres of a picture's ``length`` pixels lie, shape (length,)."""
    np = require("numpy", extra="images")
    return axis.to_input(np.arange(length) + 0.5)


def covered(axis: Axis, size: int, length: int) -> np.ndarray:
    """Return how many of the picture's ``length`` pixels each of an input's covers, shape (size,)."""
    np = require("numpy", extra="images")
    return np.diff(np.clip(axis.to_picture(np.arange(size + 1.0)), 0, length))


def sample_linear(pixels: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """Return ``pixels`` between their centres, black outside.

    Args:
        pixels: shape (H, W, C).
        ys, xs: coordinates of the rows and columns to sample, shapes (h,) and (w,), rising.

    Returns:
        float32, shape (h, w, C).
    """
    np = require("numpy", extra="images")
    height, width, channels = pixels.shape
    # A row's pixels and their channels are one axis here: NumPy is slow over an axis of three.
    across = [(places, np.repeat(share, channels)) for places, share in _neighbours(xs, width)]
    sampled = np.zeros((len(ys), len(xs) * channels), dtype=np.float32)
    blended, part = (np.empty((_BAND, sampled.shape[1]), dtype=np.float32) for _ in range(2))
    for rows, below in _neighbours(ys, height):
        for top in range(0, len(ys), _BAND):
            band, into = pixels[rows[top : top + _BAND]], sampled[top : top + _BAND]
            here, there = blended[: len(band)], part[: len(band)]
            for (columns, share), out in zip(across, (here, there), strict=True):
                np.multiply(band.take(columns, axis=1).reshape(out.shape), share, out=out)
            here += there
            here *= below[top : top + _BAND, None]
            into += here
    return sampled.reshape(len(ys), len(xs), channels)


def sample_nearest(values: np.ndarray, ys: np.ndarray, xs: np.ndarray, outside: int) -> np.ndarray:
    """Return of ``values``, shape (H, W), those whose pixels hold the points; ``outside`` elsewhere.

    Args:
        ys, xs: as in ``sample_linear``.

    Returns:
        the same type, shape (len(ys), len(xs)).
    """
    np = require("numpy", extra="images")
    (inner_rows, rows), (inner_columns, columns) = (
        _pixels_of(points, length) for points, length in zip((ys, xs), values.shape, strict=True)
    )
    sampled = np.full((len(ys), len(xs)), outside, dtype=values.dtype)
    sampled[inner_rows, inner_columns] = values[rows][:, columns]
    return sampled


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


def _neighbours(points: np.ndarray, length: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the pixels whose centres lie below and above each point, and their shares; none outside."""
    np = require("numpy", extra="images")
    places = np.clip(points - 0.5, 0, length - 1)  # a warp reaches to infinity
    low = np.floor(places).astype(np.intp)
    is_inside = (points >= 0) & (points <= length)
    share = (places - low).astype(np.float32) * is_inside
    return [(low, (is_inside - share).astype(np.float32)), (np.minimum(low + 1, length - 1), share)]


def _pixels_of(points: np.ndarray, length: int) -> tuple[slice, np.ndarray]:
    """Return which of the rising ``points`` lie inside, and the pixels that hold these."""
    np = require("numpy", extra="images")
    first, end = np.searchsorted(points, (0.0, float(length)))
    return slice(first, end), points[first:end].astype(np.intp)
