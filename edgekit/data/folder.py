"""Your own photographs: one folder per class, read when they are needed."""

from __future__ import annotations

from pathlib import Path

from edgekit.data.dataset import DATASETS, Dataset, Split
from edgekit.data.own.parts import checked_root, split_classes
from edgekit.data.own.pictures import ImageFiles, photograph, pictures_in


@DATASETS.register("folder")
def load_folder(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return the images below ``root`` at ``image_size`` (default 224), normalised as for ImageNet.

    Either ``root/train/CLASS/*`` and ``root/test/CLASS/*`` (or ``val``), or ``root/CLASS/*``, of
    which a fifth of every class is kept for the test.
    """
    root = checked_root(root, "folder", "a sub-folder per class")
    image = photograph(image_size or 224)
    classes, *parts = split_classes(root, pictures_in, "image")
    splits = [Split(ImageFiles(paths, image), labels, image) for paths, labels in parts]
    return Dataset("folder", splits[0], splits[1], classes, image, flips=True)
