"""PatchShuffle: pixels change places within small patches, so that exact places matter less.

Paper: Kang et al., "PatchShuffle Regularization", https://arxiv.org/abs/1707.07103: with probability
epsilon an image is divided into n x n patches that do not overlap, and the pixels of each are
permuted, x' = p x p' per patch. Feature maps are shuffled too if asked: see ``shuffled_maps``. Ours
differs: a pixel of an image moves with all its colours. What is left at the right and below, when n
does not divide the side, stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgekit.training.hooks import Hook
from edgekit.training.technique import Technique, register_technique
from edgekit.training.techniques.shuffled_maps import ShuffleMaps


@register_technique("patch-shuffle")
class PatchShuffle(Technique):
    """Shuffles the pixels within patches of some training images.

    Args:
        probability: of an image to be shuffled, epsilon.
        side: of a patch, n.
        maps: probability of a feature map to be shuffled; the paper's for both is 0.05.

    Raises:
        ValueError: a number is out of range.
    """

    def __init__(self, probability: float = 0.05, side: int = 2, maps: float = 0.0):
        if not (0 <= probability <= 1 and side >= 1 and 0 <= maps <= 1):
            raise ValueError(
                f"patch-shuffle: probability={probability}, side={side}, maps={maps}; the probabilities must "
                "be from 0 to 1, side 1 or more"
            )
        self.probability, self.side, self.maps = probability, side, maps

    def hooks(self) -> Sequence[Hook]:
        return (ShuffleMaps(self.maps, self.side),) if self.maps and self.side > 1 else ()

    def augment(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if not self.probability or self.side == 1:
            return pixels
        chosen = np.flatnonzero(rng.random(len(pixels)) < self.probability)
        shuffled = pixels.copy()
        shuffled[chosen] = shuffle_patches(pixels[chosen], self.side, rng)
        return shuffled


def shuffle_patches(pixels: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Return images (B, H, W, C) whose patches of ``side`` x ``side`` pixels are each permuted anew."""
    B, H, W, C = pixels.shape
    rows, columns = H // side, W // side
    inner = pixels[:, : rows * side, : columns * side]
    patches = inner.reshape(B, rows, side, columns, side, C).swapaxes(2, 3)
    patches = patches.reshape(B, rows, columns, side * side, C)
    order = rng.random(patches.shape[:-1]).argsort(-1)  # (B, rows, columns, side * side)
    patches = np.take_along_axis(patches, order[..., None], axis=3)
    moved = patches.reshape(B, rows, columns, side, side, C).swapaxes(2, 3)
    result = pixels.copy()
    result[:, : rows * side, : columns * side] = moved.reshape(inner.shape)
    return result
