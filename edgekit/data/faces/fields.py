"""Portraits as a network sees them: warped, cut out or whole, with what their pixels are."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from edgekit.data.dataset import DATASETS, Dataset, Split
from edgekit.data.faces.face import FACE_CLASSES, FACE_COLOURS
from edgekit.data.faces.portrait import PICTURE_SIDE, Portrait
from edgekit.data.faces.portraits import artists_portraits, toy_portraits
from edgekit.data.fields import Fields, Fixed, Mask
from runtime.bundle import ImageSpec
from runtime.bundle.prestep import PreStep, TanhWarp
from runtime.processing.placement import place
from runtime.processing.prepare import warp
from runtime.processing.sampling import covered, input_points, labels_on_input

_MEAN, _STD = (0.5,) * 3, (0.25,) * 3
_DEFAULT_SIZE = 64
_FACES, _TEST_FACES = 480, 140  # a face is in three portraits to train on, and in one to test on
_PORTRAITS = 1440


@dataclass(frozen=True, kw_only=True)
class FaceDataset(Dataset):
    """Portraits as inputs, which can be seen in another way.

    Attributes:
        portraits: to train on, and to test on.
        pre: how a picture became an input.
    """

    portraits: tuple[Sequence[Portrait], Sequence[Portrait]]
    pre: PreStep

    def through(self, pre: PreStep) -> FaceDataset:
        """Return all the portraits seen by ``pre``."""
        return self if pre == self.pre else faces_dataset(self.name, *self.portraits, pre, self.image.size)


def faces_dataset(
    name: str, train: Sequence[Portrait], test: Sequence[Portrait], pre: PreStep, size: int = _DEFAULT_SIZE
) -> FaceDataset:
    """Return portraits as inputs of ``size`` pixels a side.

    Each is made when it is first asked for. The targets of a split are fields: ``labels``, the class of each
    pixel of the input, uint8, shape (size, size); ``rows`` and ``columns``, where in the input those of the
    picture lie, in pixels; ``heights`` and ``widths``, how many pixels of the picture each row and column of
    the input covers, shape (size,); and, to test on, ``truth``, the class of each pixel of the picture.

    Args:
        pre: how a picture becomes an input.
    """
    image = ImageSpec(size=size, resize=size, mean=_MEAN, std=_STD)
    return FaceDataset(
        name,
        train=_split(train, pre, image, keeps_truth=False),
        test=_split(test, pre, image, keeps_truth=True),
        labels=list(FACE_CLASSES),
        image=image,
        portraits=(train, test),
        pre=pre,
    )


@DATASETS.register("faces")
def load_faces(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return artists' faces on photographs, warped by tanh around their boxes."""
    return faces_dataset(
        "faces",
        artists_portraits(_PORTRAITS, _FACES, training=True, folder=root),
        artists_portraits(_TEST_FACES, _TEST_FACES, training=False, folder=root),
        TanhWarp(),
        image_size or _DEFAULT_SIZE,
    )


@DATASETS.register("toy-faces")
def load_toy_faces(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return a few faces of ellipses, warped by tanh around their boxes: for tests."""
    portraits = toy_portraits(96, training=True), toy_portraits(32, training=False)
    return faces_dataset("toy-faces", *portraits, TanhWarp(), image_size or _DEFAULT_SIZE)


def _split(portraits: Sequence[Portrait], pre: PreStep, image: ImageSpec, *, keeps_truth: bool) -> Split:
    seen = _Seen(portraits, pre, image)
    fixed = ("rows", "columns", "heights", "widths", *(["truth"] if keeps_truth else []))
    kinds = {"labels": Mask(FACE_CLASSES, FACE_COLOURS), **{name: Fixed() for name in fixed}}
    return Split(_Inputs(seen), Fields(kinds, {name: _Targets(seen, name) for name in kinds}), image)


class _Seen:
    """Portraits as inputs and targets, each made when it is first asked for, and then kept.

    A reader's processes share what is kept: no epoch makes again what an earlier one has made.
    """

    def __init__(self, portraits: Sequence[Portrait], pre: PreStep, image: ImageSpec):
        self.portraits, self.pre, self.image = portraits, pre, image
        count, side = len(portraits), image.size
        self.inputs = _shared(np.dtype(np.float32), (count, side, side, 3))
        shapes = {
            "labels": (np.uint8, (side, side)),
            "rows": (np.float32, (PICTURE_SIDE,)),
            "columns": (np.float32, (PICTURE_SIDE,)),
            "heights": (np.float32, (side,)),
            "widths": (np.float32, (side,)),
            "truth": (np.uint8, (PICTURE_SIDE, PICTURE_SIDE)),
        }
        self.targets = {
            name: _shared(np.dtype(kind), (count, *shape)) for name, (kind, shape) in shapes.items()
        }
        self.is_made = _shared(np.dtype(bool), (count,))

    def make(self, indices: np.ndarray) -> None:
        """Make the portraits at ``indices`` that are not made yet."""
        side = self.image.size
        for index in np.unique(indices[~self.is_made[indices]]):
            portrait = self.portraits[int(index)]
            placement = place(self.pre, self.image, PICTURE_SIDE, PICTURE_SIDE, portrait.box)
            # Not rounded to whole pixel values: the device does not round them either.
            self.inputs[index] = 255 * warp(Image.fromarray(portrait.picture), placement)
            self.targets["labels"][index] = labels_on_input(portrait.labels, placement, side, outside=0)
            self.targets["rows"][index] = input_points(placement.y, PICTURE_SIDE)
            self.targets["columns"][index] = input_points(placement.x, PICTURE_SIDE)
            self.targets["heights"][index] = covered(placement.y, side, PICTURE_SIDE)
            self.targets["widths"][index] = covered(placement.x, side, PICTURE_SIDE)
            self.targets["truth"][index] = portrait.labels
            self.is_made[index] = True


class _Inputs:
    def __init__(self, seen: _Seen):
        self.seen = seen

    def __len__(self) -> int:
        return len(self.seen.portraits)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        self.seen.make(indices)
        return self.seen.inputs[indices]


class _Targets:
    def __init__(self, seen: _Seen, name: str):
        self.seen, self.name = seen, name
        self.dtype, self.shape = seen.targets[name].dtype, seen.targets[name].shape

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        self.seen.make(indices)
        return self.seen.targets[self.name][indices]


def _shared(kind: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros that processes started later share; memory is taken where they are written."""
    size = int(np.prod(shape))
    return np.frombuffer(mmap.mmap(-1, max(1, size * kind.itemsize)), kind, size).reshape(shape)
