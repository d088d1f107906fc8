"""How images of a batch are moved, and everything that is said of places in them.

Coordinates are continuous, as in ``runtime.processing.placement``: pixel ``i`` reaches from ``i`` to
``i + 1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Move(Protocol):
    """A change of places, one for each image of a batch; what comes from outside is the image's edge.

    Attributes:
        mirrored: whether left and right change places, shape (B,).
    """

    mirrored: np.ndarray

    def pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Return moved images, uint8, shape (B, ..., H, W, C)."""
        ...

    def classes(self, masks: np.ndarray) -> np.ndarray:
        """Return the moved class of each pixel, shape (B, ..., H, W)."""
        ...

    def points(self, points: np.ndarray) -> np.ndarray:
        """Return where points lie after the move: x and y in pixels, shape (B, ..., 2)."""
        ...


@dataclass(frozen=True)
class Shift:
    """Pixel (y, x) becomes the one that was at (y + top, x + left); both of shape (B,)."""

    top: np.ndarray
    left: np.ndarray

    @staticmethod
    def draw(count: int, most: int, rng: np.random.Generator) -> Shift:
        """Return shifts by up to ``most`` pixels in each direction."""
        if most < 0:
            raise ValueError(f"the largest shift is {most} pixels; it must be 0 or more")
        top, left = rng.integers(0, 2 * most + 1, size=(2, count))
        return Shift(top - most, left - most)

    @property
    def mirrored(self) -> np.ndarray:
        return np.zeros(len(self.top), dtype=bool)

    def pixels(self, pixels: np.ndarray) -> np.ndarray:
        return self._shifted(pixels, 1)

    def classes(self, masks: np.ndarray) -> np.ndarray:
        return self._shifted(masks, 0)

    def points(self, points: np.ndarray) -> np.ndarray:
        by = np.stack([self.left, self.top], axis=1).astype(points.dtype)  # (B, 2)
        return points - _spread(by, points.ndim)

    def _shifted(self, maps: np.ndarray, n_values: int) -> np.ndarray:
        H, W = maps.shape[maps.ndim - n_values - 2 :][:2]
        rows = np.clip(self.top[:, None] + np.arange(H), 0, H - 1)  # (B, H)
        columns = np.clip(self.left[:, None] + np.arange(W), 0, W - 1)  # (B, W)
        return gather(maps, n_values, rows[:, :, None], columns[:, None, :])


@dataclass(frozen=True)
class Mirror:
    """Left and right change places where ``mirrored``, shape (B,); images are ``width`` pixels wide."""

    mirrored: np.ndarray
    width: int

    @staticmethod
    def draw(count: int, width: int, rng: np.random.Generator) -> Mirror:
        """Return a mirror for every image with probability one half."""
        return Mirror(rng.random(count) < 0.5, width)

    def pixels(self, pixels: np.ndarray) -> np.ndarray:
        return np.where(_spread(self.mirrored, pixels.ndim), pixels[..., ::-1, :], pixels)

    def classes(self, masks: np.ndarray) -> np.ndarray:
        return np.where(_spread(self.mirrored, masks.ndim), masks[..., ::-1], masks)

    def points(self, points: np.ndarray) -> np.ndarray:
        xs = np.where(_spread(self.mirrored, points.ndim - 1), self.width - points[..., 0], points[..., 0])
        return np.stack([xs, points[..., 1]], axis=-1)


@dataclass(frozen=True)
class Affine:
    """Points (x, y) go to ``matrix @ (x, y, 1)``; shape (B, 2, 3), in pixels."""

    matrix: np.ndarray

    @staticmethod
    def draw(count: int, size: int, degrees: float, zoom: float, rng: np.random.Generator) -> Affine:
        """Return turns and zooms around the middle of square images.

        Args:
            degrees: largest turn in either direction.
            zoom: largest change of size: 0.2 draws from 1 / 1.2 to 1.2 times, in logarithm.
        """
        turn = np.deg2rad(rng.uniform(-degrees, degrees, count))
        scale = np.exp(rng.uniform(-1, 1, count) * np.log1p(zoom))
        linear = scale[:, None, None] * np.array(
            [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        ).transpose(2, 0, 1)  # (B, 2, 2)
        middle = np.full(2, size / 2)
        return Affine(np.concatenate([linear, (middle - linear @ middle)[..., None]], axis=2))

    @property
    def mirrored(self) -> np.ndarray:
        return np.linalg.det(self.matrix[:, :, :2]) < 0

    def pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Return images whose pixels are blended from the four nearest, rounded."""
        H, W = pixels.shape[-3:-1]
        xs, ys = self._sources(H, W)
        xs, ys = np.clip(xs - 0.5, 0, W - 1), np.clip(ys - 0.5, 0, H - 1)
        left, top = np.floor(xs).astype(np.intp), np.floor(ys).astype(np.intp)
        right, bottom = np.minimum(left + 1, W - 1), np.minimum(top + 1, H - 1)
        shape = (len(pixels), *[1] * (pixels.ndim - 4), H, W, 1)
        across, down = ((at - low).astype(np.float32).reshape(shape) for at, low in ((xs, left), (ys, top)))
        upper = gather(pixels, 1, top, left) * (1 - across) + gather(pixels, 1, top, right) * across
        lower = gather(pixels, 1, bottom, left) * (1 - across) + gather(pixels, 1, bottom, right) * across
        return np.rint(upper * (1 - down) + lower * down).astype(pixels.dtype)

    def classes(self, masks: np.ndarray) -> np.ndarray:
        H, W = masks.shape[-2:]
        xs, ys = self._sources(H, W)
        rows, columns = np.clip(np.floor(ys), 0, H - 1), np.clip(np.floor(xs), 0, W - 1)
        return gather(masks, 0, rows.astype(np.intp), columns.astype(np.intp))

    def points(self, points: np.ndarray) -> np.ndarray:
        flat = points.reshape(len(points), -1, 2)
        moved = flat @ self.matrix[:, :, :2].transpose(0, 2, 1) + self.matrix[:, None, :, 2]
        return moved.reshape(points.shape).astype(points.dtype)

    def _sources(self, H: int, W: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where the centre of each pixel comes from, x and y, shape (B, H, W)."""
        inverse = np.linalg.inv(self.matrix[:, :, :2])
        xs, ys = np.meshgrid(np.arange(W) + 0.5, np.arange(H) + 0.5)
        centres = np.stack([xs, ys], axis=-1).reshape(1, -1, 2) - self.matrix[:, None, :, 2]
        sources = (centres @ inverse.transpose(0, 2, 1)).reshape(-1, H, W, 2)
        return sources[..., 0], sources[..., 1]


def gather(maps: np.ndarray, n_values: int, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the values at ``rows`` and ``columns`` of each map of a batch.

    Args:
        maps: shape (B, ..., H, W), followed by ``n_values`` more axes.
        rows, columns: broadcast together to (B, H, W).
    """
    first = maps.ndim - n_values - 2
    images = np.arange(len(maps))[:, None, None]
    if first == 1:
        return maps[images, rows, columns]
    flat = maps.reshape(len(maps), -1, *maps.shape[first:])  # (B, M, H, W, ...)
    sampled = [flat[:, m][images, rows, columns] for m in range(flat.shape[1])]
    return np.stack(sampled, axis=1).reshape(maps.shape)


def _spread(per_image: np.ndarray, ndim: int) -> np.ndarray:
    """Return values per image, shape (B, ...), so that they broadcast to ``ndim`` axes."""
    middle = ndim - per_image.ndim
    return per_image.reshape(len(per_image), *[1] * middle, *per_image.shape[1:])
