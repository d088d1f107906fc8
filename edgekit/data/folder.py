"""Your own photographs: one folder per class, read when they are needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgekit.data.dataset import DATASETS, Dataset, Split, stratified_split
from runtime.bundle import ImageSpec
from runtime.errors import DataError
from runtime.processing.images import IMAGE_SUFFIXES, load_image

TEST_NAMES = ("test", "val", "validation")


@dataclass(frozen=True)
class ImageFiles:
    """Paths of images; indexing reads, scales and crops them as the device will."""

    paths: tuple[Path, ...]
    image: ImageSpec

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        channels = self.image.channels
        plain = replace(self.image, mean=(0.0,) * channels, std=(1.0,) * channels)
        inputs = np.concatenate([load_image(self.paths[index], plain) for index in indices])  # (B, C, H, W)
        return np.rint(inputs.transpose(0, 2, 3, 1) * 255).astype(np.uint8)


@DATASETS.register("folder")
def load_folder(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return the images below ``root`` at ``image_size`` (default 224), normalised as for ImageNet.

    Either ``root/train/CLASS/*`` and ``root/test/CLASS/*`` (or ``val``), or ``root/CLASS/*``, of
    which a fifth of every class is kept for the test.
    """
    if root is None:
        raise ValueError("dataset 'folder' got no root; pass --data-root FOLDER, with a sub-folder per class")
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; give one that has a sub-folder per class")
    size = image_size or 224
    image = ImageSpec(size, round(size * 256 / 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    test_root = next((root / name for name in TEST_NAMES if (root / name).is_dir()), None)
    if (root / "train").is_dir() and test_root is not None:
        classes = _classes(root / "train")
        train, test = _scan(root / "train", classes), _scan(test_root, classes)
    else:
        classes = _classes(root)
        paths, labels = _scan(root, classes)
        train, test = ((tuple(paths[i] for i in part), labels[part]) for part in stratified_split(labels))
    for part, (paths, _) in (("train", train), ("test", test)):
        if not paths:
            raise DataError(f"{root} leaves no image for the {part} part; give at least three per class")
    splits = [Split(ImageFiles(paths, image), labels, image) for paths, labels in (train, test)]
    return Dataset("folder", splits[0], splits[1], classes, image, flips=True)


def _classes(root: Path) -> list[str]:
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(names) < 2:
        raise DataError(f"{root} has {len(names)} class folders; at least 2 are needed, one per class")
    return names


def _scan(root: Path, classes: list[str]) -> tuple[tuple[Path, ...], np.ndarray]:
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(p for p in (root / name).rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
        paths += found
        labels += [label] * len(found)
    return tuple(paths), np.asarray(labels, dtype=np.int64)
