"""Random changes to training images that leave their class as it is. NumPy on uint8, shape (B, H, W, C)."""

from __future__ import annotations

import numpy as np


def random_crop(pixels: np.ndarray, padding: int, rng: np.random.Generator) -> np.ndarray:
    """Shift every image by up to ``padding`` pixels in each direction; the edge is repeated.

    Args:
        pixels: shape (B, H, W, C).
        padding: largest shift; 0 leaves the images alone.
    """
    if padding < 0:
        raise ValueError(f"padding is {padding}; it must be 0 or more")
    B, H, W, _ = pixels.shape
    padded = np.pad(pixels, ((0, 0), (padding, padding), (padding, padding), (0, 0)), mode="edge")
    top, left = rng.integers(0, 2 * padding + 1, size=(2, B))
    rows = top[:, None] + np.arange(H)  # (B, H)
    columns = left[:, None] + np.arange(W)  # (B, W)
    return padded[np.arange(B)[:, None, None], rows[:, :, None], columns[:, None, :]]


def random_flip(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirror every image from left to right with probability one half."""
    mirrored = rng.random(len(pixels)) < 0.5
    return np.where(mirrored[:, None, None, None], pixels[:, :, ::-1], pixels)
