"""Datasets: a train and a test split of small images, ready for batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from runtime.bundle import ImageSpec
from runtime.errors import DataError
from runtime.processing.images import normalise
from runtime.registry import Registry


class Images(Protocol):
    """What a split needs of its images: an array has it, and so has a list of files read when asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        """Return uint8 pixels of shape (B, H, W, C)."""
        ...


@dataclass(frozen=True)
class Split:
    """Images and labels in a fixed order.

    Attributes:
        images: uint8, shape (N, H, W, C), already of the network's input size.
        labels: int64, shape (N,); or, where an image has more than a label, an array with named fields.
        image: how pixels become inputs.
    """

    images: Images
    labels: np.ndarray
    image: ImageSpec

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise DataError(
                f"{len(self.images)} images have {len(self.labels)} labels; give one label per image"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, indices: np.ndarray) -> Split:
        """Return the split of the images at ``indices``, in this order; files are read when asked for."""
        return Split(_Chosen(self.images, indices), self.labels[indices], self.image)

    def batch(
        self, indices: Sequence[int] | np.ndarray, augment: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return normalised inputs and labels.

        Args:
            indices: which images, in which order.
            augment: changes the uint8 pixels, shape (B, H, W, C), before they are normalised.

        Returns:
            float32 of shape (B, C, H, W) and the labels, shape (B,).
        """
        chosen = np.asarray(indices, dtype=np.int64)
        pixels = self.images[chosen]
        if augment is not None:
            pixels = augment(pixels)
        return normalise(pixels.astype(np.float32) / 255.0, self.image), self.labels[chosen]


@dataclass(frozen=True)
class _Chosen:
    """Some of other images."""

    images: Images
    indices: np.ndarray

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        return self.images[self.indices[indices]]


@dataclass(frozen=True)
class Dataset:
    """A named dataset; ``labels`` are the class names in output order.

    ``flips`` says whether a mirrored image still is of its class: a cat is, a 3 is not.
    """

    name: str
    train: Split
    test: Split
    labels: list[str]
    image: ImageSpec
    flips: bool = False


DATASETS: Registry[Callable[[Path | None, int | None], Dataset]] = Registry("dataset")


def load_dataset(name: str, *, root: str | Path | None = None, image_size: int | None = None) -> Dataset:
    """Return the dataset called ``name``.

    Args:
        name: ``digits``, ``fashion-mnist``, ``cifar10``, ``faces`` or ``folder``.
        root: where its files are; default: the place where edgekit keeps downloads.
        image_size: height and width of the network's input; default: the dataset's own.

    Raises:
        ValueError: unknown name, or a size that makes no sense.
        DataError: files are missing, cannot be downloaded, or are not what they should be.

    Example:
        >>> digits = load_dataset("digits", image_size=16)
        >>> inputs, labels = digits.test.batch([0, 1])
        >>> inputs.shape
        (2, 1, 16, 16)
    """
    if image_size is not None and image_size < 8:
        raise ValueError(f"image_size is {image_size}; it must be at least 8")
    return DATASETS.get(name)(None if root is None else Path(root), image_size)


def resize_images(images: np.ndarray, size: int) -> np.ndarray:
    """Scale uint8 images (N, H, W, C) to (N, size, size, C), as ``runtime.processing.images`` does."""
    if images.shape[1:3] == (size, size):
        return images
    scaled = np.empty((len(images), size, size, images.shape[3]), dtype=np.uint8)
    for target, image in zip(scaled, images, strict=True):
        picture = Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image)
        picture = picture.resize((size, size), Image.Resampling.BILINEAR)
        target[...] = np.asarray(picture).reshape(target.shape)
    return scaled


def stratified_split(
    labels: np.ndarray, test_share: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return sorted indices of a train and a test part that hold every class in the same share.

    The result depends on ``labels`` and ``seed`` alone, so every machine tests on the same images.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    in_test = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        in_test[members[: round(len(members) * test_share)]] = True
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)
