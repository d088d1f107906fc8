"""Pictures with a PNG each whose pixels are class numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from edgekit.data.dataset import DATASETS, Dataset, Split
from edgekit.data.fields import UNCOUNTED, Fields, Mask
from edgekit.data.own.parts import by_lot, checked_root, own_parts
from edgekit.data.own.pictures import (
    ImageFiles,
    PictureDataset,
    photograph,
    pictures_below,
    placed,
    relative_names,
    upright_size,
)
from runtime.bundle import ImageSpec
from runtime.bundle.prestep import PreStep, Whole
from runtime.errors import DataError
from runtime.processing.images import open_image
from runtime.processing.sampling import labels_on_input

_CLASSES = "classes.txt"
_HOLDS = f"folders images and masks and a file {_CLASSES}"
_MOST_CLASSES = UNCOUNTED  # 0 to 254


@DATASETS.register("mask-folder")
def load_mask_folder(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return the pictures in ``root/images`` and their masks, ``root/masks/SAME-NAME.png``, as a field.

    ``root/classes.txt`` names the classes, one a line, the first of them the background's; a mask's pixel
    is the number of its class, from 0, or 255: not known. Either ``root/train`` and ``root/test`` (or
    ``val``) hold such folders each, or a fifth of the pictures is kept for the test.

    Raises:
        DataError: a picture has no mask; once it is read, a mask of another size or with a number that is no
            class.
    """
    return _read(checked_root(root, "mask-folder", _HOLDS), image_size or 224, Whole())


def _read(root: Path, size: int, pre: PreStep) -> PictureDataset:
    image, classes = photograph(size), read_classes(root / _CLASSES)
    if parts := own_parts(root):
        train, test = (_pairs(part) for part in parts)
    else:
        found = _pairs(root)
        lot = by_lot(len(found), f"pictures in {root / 'images'}")
        train, test = ([found[i] for i in part] for part in lot)

    def split(pairs: Sequence[tuple[Path, Path]]) -> Split:
        pictures, masks = zip(*pairs, strict=True)
        column = MaskFiles(pictures, masks, image, pre, classes)
        return Split(ImageFiles(pictures, image, pre), Fields({"mask": Mask()}, {"mask": column}), image)

    return PictureDataset(
        "mask-folder",
        split(train),
        split(test),
        list(classes),
        image,
        flips=True,
        pre=pre,
        read=partial(_read, root, size),
    )


def read_classes(path: Path) -> tuple[str, ...]:
    """Return the names of classes, one a line of the file at ``path``.

    Raises:
        DataError: it is not there, names no two classes, or one twice.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}; name the masks' classes there, one a line")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as err:
        raise DataError(f"cannot read {path} ({err}); name the masks' classes there, one a line") from err
    names = tuple(line.strip() for line in lines if line.strip())
    if not 2 <= len(names) <= _MOST_CLASSES or len(set(names)) < len(names):
        raise DataError(
            f"{path} names {len(names)} classes, {len(set(names))} different ones; give 2 to "
            f"{_MOST_CLASSES}, one a line, the background first"
        )
    return names


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Return the pictures below ``folder/images``, each with its mask."""
    pictures = pictures_below(folder / "images", f"give a folder with {_HOLDS}")
    names = relative_names(pictures, folder / "images")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(
            f"{folder / 'images'} holds two pictures called {twice[0]!r}, with unlike endings; which one its "
            "mask is of cannot be told: rename one"
        )
    masks = [folder / "masks" / f"{name}.png" for name in names]
    missing = [path for path in masks if not path.is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(masks)} pictures in {folder / 'images'} have no mask; the first to add "
            f"is {missing[0]}"
        )
    return list(zip(pictures, masks, strict=True))


class MaskFiles:
    """Masks as they lie on the network's input, read when asked for: uint8, shape (N, size, size)."""

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        pictures: tuple[Path, ...],
        masks: tuple[Path, ...],
        image: ImageSpec,
        pre: PreStep,
        classes: tuple[str, ...],
    ):
        self.pictures, self.masks, self.image, self.pre, self.classes = pictures, masks, image, pre, classes
        self.shape = (len(masks), image.size, image.size)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        return np.stack([self._read(index) for index in indices])

    def _read(self, index: int) -> np.ndarray:
        path = self.masks[index]
        numbers = read_mask(path, self.classes)
        height, width = numbers.shape
        if (size := upright_size(self.pictures[index])) != (width, height):
            raise DataError(
                f"{path} is {width}x{height} pixels, its picture is {size[0]}x{size[1]} upright; save the "
                "mask in the picture's size, turned as its EXIF says"
            )
        placement = placed(self.pre, self.image, width, height)
        return labels_on_input(numbers, placement, self.image.size, outside=UNCOUNTED)


def read_mask(path: Path, classes: Sequence[str]) -> np.ndarray:
    """Return the class of each pixel of the PNG at ``path``, uint8, shape (H, W).

    Raises:
        DataError: it is not a picture of numbers, or has one that is no class.
    """
    picture = open_image(path)
    if picture.mode not in ("L", "P", "1"):
        raise DataError(
            f"{path} has pixels of mode {picture.mode!r}; a mask is a grey or palette PNG of 8 bits whose "
            "pixels are class numbers"
        )
    # A bit is 0 or 1; Pillow's own conversion would make it 255.
    numbers = np.asarray(picture).astype(np.uint8)
    is_wrong = (numbers >= len(classes)) & (numbers != UNCOUNTED)
    if is_wrong.any():
        row, column = np.argwhere(is_wrong)[0]
        raise DataError(
            f"{path} has label {numbers[row, column]} at row {row}, column {column}, which is no class; "
            f"allowed: 0 to {len(classes) - 1} ({classes[0]} to {classes[-1]}) and {UNCOUNTED}, not known: "
            f"correct it, or name the class in {_CLASSES}"
        )
    return numbers
