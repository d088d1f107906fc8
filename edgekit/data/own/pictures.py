"""Files of pictures as images of a split, and data that can be seen through another pre-step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from edgekit.data.dataset import Dataset
from runtime.bundle import ImageSpec
from runtime.bundle.prestep import PreStep, ResizeCrop, Whole
from runtime.errors import DataError
from runtime.processing.images import IMAGE_SUFFIXES, open_image
from runtime.processing.placement import LinearAxis, Placement, place
from runtime.processing.prepare import prepare

_ORIENTATION = 0x0112  # of EXIF; from 5 on the picture lies on its side
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def photograph(size: int) -> ImageSpec:
    """Return how colour photographs become inputs of ``size`` pixels, normalised as for ImageNet."""
    return ImageSpec(size, round(size * 256 / 224), mean=_MEAN, std=_STD)


@dataclass(frozen=True)
class ImageFiles:
    """Paths of pictures; indexing reads them as the device will.

    Attributes:
        pre: how a picture becomes an input.
    """

    paths: tuple[Path, ...]
    image: ImageSpec
    pre: PreStep = field(default_factory=ResizeCrop)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        return np.stack([read_pixels(self.paths[index], self.pre, self.image) for index in indices])


def read_pixels(path: Path, pre: PreStep, image: ImageSpec) -> np.ndarray:
    """Return the picture at ``path`` as ``pre`` makes it, not normalised yet: uint8, shape (H, W, C)."""
    picture = open_image(path)
    try:
        return make_pixels(picture, pre, image)
    except DataError as err:
        raise DataError(f"{path}: {err}") from err


def make_pixels(picture: Image.Image, pre: PreStep, image: ImageSpec) -> np.ndarray:
    """Return ``picture`` as ``pre`` makes it, not normalised yet: uint8, shape (H, W, C)."""
    channels = image.channels
    plain = replace(image, mean=(0.0,) * channels, std=(1.0,) * channels)
    inputs, _ = prepare(picture, pre, plain)  # (1, C, H, W)
    return np.rint(inputs[0].transpose(1, 2, 0) * 255).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class PictureDataset(Dataset):
    """Pictures with fields, which can be seen in another way.

    Attributes:
        pre: how a picture became an input.
        read: makes the same data by another pre-step.
    """

    pre: PreStep
    read: Callable[[PreStep], PictureDataset]

    def through(self, pre: PreStep) -> PictureDataset:
        """Return all the pictures seen by ``pre``.

        Raises:
            DataError: ``pre`` needs a box for each picture.
        """
        if not isinstance(pre, ResizeCrop | Whole):
            raise DataError(
                f"{self.name} has no one box for each picture, which {pre.__struct_config__.tag} needs; see "
                "pictures whole or by resize_crop"
            )
        return self if pre == self.pre else self.read(pre)


def placed(pre: PreStep, image: ImageSpec, width: int, height: int) -> Placement:
    """Return where an input lies in a picture; its axes are linear."""
    placement = place(pre, image, width, height, None)
    assert isinstance(placement.x, LinearAxis)
    return placement


def upright_size(path: Path) -> tuple[int, int]:
    """Return width and height of a picture as its EXIF turns it; only its head is read.

    Raises:
        DataError: it is not a picture.
    """
    try:
        with Image.open(path) as opened:
            lies = opened.getexif().get(_ORIENTATION, 1) >= 5
            width, height = opened.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        width, height, lies = *open_image(path).size, False  # says what is wrong with it
    return (height, width) if lies else (width, height)


def pictures_below(folder: Path, what: str) -> list[Path]:
    """Return the pictures anywhere below ``folder``, sorted.

    Args:
        what: the folder is for, for the error.

    Raises:
        DataError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; {what}")
    paths = sorted(pictures_in(folder))
    if not paths:
        raise DataError(f"{folder} holds no picture ({', '.join(IMAGE_SUFFIXES)}); {what}")
    return paths


def pictures_in(folder: Path) -> Iterator[Path]:
    """Yield the files anywhere below ``folder`` whose names end as a picture's; a pipe would never end."""
    return (path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())


def relative_names(paths: Sequence[Path], folder: Path) -> list[str]:
    """Return the paths below ``folder`` without their endings: what a picture and its mask have in common."""
    return [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
