"""Datasets: a train and a test split of small images, ready for batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from edgekit.data.fields import Chosen, Fields
from edgekit.data.moves import Move
from runtime.bundle import ImageSpec
from runtime.errors import DataError
from runtime.processing.images import normalise
from runtime.registry import Registry


class Images(Protocol):
    """What a split needs of its images: an array has it, and so has a list of files read when asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        """Return uint8 pixels of shape (B, H, W, C); of clips (B, T, H, W, C)."""
        ...


@dataclass(frozen=True)
class Split:
    """Images and labels in a fixed order.

    Attributes:
        images: uint8, shape (N, H, W, C), already of the network's input size; clips of T frames have the
            shape (N, T, H, W, C).
        labels: int64, shape (N,); masks, the class of every pixel, uint8 of shape (N, H, W); or, where an
            image has more than a label, ``Fields``.
        image: how pixels become inputs.
    """

    images: Images
    labels: np.ndarray | Fields
    image: ImageSpec

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise DataError(
                f"{len(self.images)} images have {len(self.labels)} labels; give one label per image"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def has_masks(self) -> bool:
        """Whether every pixel has a class."""
        return self.labels.ndim == 3 and self.labels.dtype == np.uint8

    @property
    def can_move(self) -> bool:
        """Whether what is known of an image stays true when it is shifted or mirrored."""
        return self.labels.can_move if isinstance(self.labels, Fields) else self.labels.dtype.names is None

    def part(self, indices: np.ndarray) -> Split:
        """Return the split of the images at ``indices``, in this order; files are read when asked for."""
        known = self.labels.part(indices) if isinstance(self.labels, Fields) else self.labels[indices]
        return Split(Chosen(self.images, indices), known, self.image)

    def relabelled(self, indices: np.ndarray, labels: np.ndarray | Mapping[str, np.ndarray]) -> Split:
        """Return the split of the images at ``indices`` with ``labels`` for those they had.

        Args:
            labels: of images with fields those fields that change, by name.

        Raises:
            DataError: they are not as many, or named where there are no fields.
        """
        part = self.part(indices)
        if not isinstance(labels, Mapping):
            return replace(part, labels=labels)
        if not isinstance(part.labels, Fields) or not set(labels) <= set(part.labels.kinds):
            raise DataError(f"new labels are called {', '.join(labels)}; the images have no such fields")
        return replace(part, labels=Fields(part.labels.kinds, {**part.labels.columns, **labels}))

    def batch(
        self,
        indices: Sequence[int] | np.ndarray,
        augment: Callable[[np.ndarray], np.ndarray] | None = None,
        moves: Sequence[Move] = (),
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return normalised inputs and labels.

        Args:
            indices: which images, in which order.
            augment: changes the uint8 pixels, shape (B, H, W, C), before they are normalised.
            moves: change places before that, of the pixels, masks and fields.

        Returns:
            float32 of shape (B, C, H, W), of clips (B, T, C, H, W), and the labels, shape (B,); of masks
            int64, (B, H, W); of fields an array with their names.
        """
        chosen = np.asarray(indices, dtype=np.int64)
        pixels, labels = self.images[chosen], self.labels[chosen]
        for move in moves:
            pixels, labels = move.pixels(pixels), self._moved(labels, move)
        if augment is not None:
            pixels = augment(pixels)
        if self.has_masks:
            labels = labels.astype(np.int64)
        shares = pixels.astype(np.float32) / 255.0
        if shares.ndim == 4:
            return normalise(shares, self.image), labels
        frames = normalise(shares.reshape(-1, *shares.shape[2:]), self.image)  # (B * T, C, H, W)
        return frames.reshape(*shares.shape[:2], *frames.shape[1:]), labels

    def _moved(self, labels: np.ndarray, move: Move) -> np.ndarray:
        if isinstance(self.labels, Fields):
            return self.labels.moved(labels, move)
        return move.classes(labels) if self.has_masks else labels


@dataclass(frozen=True)
class Dataset:
    """A named dataset; ``labels`` are the class names in output order.

    Attributes:
        flips: whether a mirrored image still is of its class: a cat is, a 3 is not.
        frames: of a clip; 0: these are pictures.
    """

    name: str
    train: Split
    test: Split
    labels: list[str]
    image: ImageSpec
    flips: bool = False
    frames: int = 0


DATASETS: Registry[Callable[[Path | None, int | None], Dataset]] = Registry("dataset")


def load_dataset(name: str, *, root: str | Path | None = None, image_size: int | None = None) -> Dataset:
    """Return the dataset called ``name``.

    Args:
        name: one of ``DATASETS``.
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


def strata_of(labels: np.ndarray | Fields) -> np.ndarray:
    """Return the label of each example, shape (N,); zeros where an example has none, or more than one."""
    is_label = labels.ndim == 1 and labels.dtype.names is None
    return labels if is_label else np.zeros(len(labels), dtype=np.int64)


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
