"""Portraits as a network sees them: warped, cut out or whole, with what their pixels are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from edgekit.data.dataset import DATASETS, Dataset, Split
from edgekit.data.faces.face import FACE_CLASSES
from edgekit.data.faces.portrait import PICTURE_SIDE, Portrait
from edgekit.data.faces.portraits import artists_portraits, toy_portraits
from runtime.bundle import ImageSpec
from runtime.bundle.prestep import PreStep, TanhWarp
from runtime.processing.placement import place
from runtime.processing.prepare import warp
from runtime.processing.sampling import input_points, labels_on_input

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
        """Return all the portraits seen by ``pre``.

        Raises:
            DataError: ``pre`` does not go with a portrait's box.
        """
        return self if pre == self.pre else faces_dataset(self.name, *self.portraits, pre, self.image.size)


def faces_dataset(
    name: str, train: Sequence[Portrait], test: Sequence[Portrait], pre: PreStep, size: int = _DEFAULT_SIZE
) -> FaceDataset:
    """Return portraits as inputs of ``size`` pixels a side.

    The targets of a split are an array with fields: ``labels``, the class of each pixel of the input, uint8,
    shape (size, size); ``rows`` and ``columns``, where in the input those of the picture lie, in pixels; and,
    to test on, ``truth``, the class of each pixel of the picture.

    Args:
        pre: how a picture becomes an input.

    Raises:
        DataError: ``pre`` does not go with a portrait's box.
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
    picture, side = (PICTURE_SIDE,), image.size
    fields = [
        ("labels", np.uint8, (side, side)),
        ("rows", np.float32, picture),
        ("columns", np.float32, picture),
    ]
    if keeps_truth:
        fields.append(("truth", np.uint8, picture * 2))
    inputs = np.empty((len(portraits), side, side, 3), np.float32)
    targets = np.zeros(len(portraits), np.dtype(fields, align=True))
    for index in range(len(portraits)):
        portrait, target = portraits[index], targets[index]
        placement = place(pre, image, PICTURE_SIDE, PICTURE_SIDE, portrait.box)
        # Not rounded to whole pixel values: the device does not round them either.
        inputs[index] = 255 * warp(Image.fromarray(portrait.picture), placement)
        target["labels"] = labels_on_input(portrait.labels, placement, side, outside=0)
        target["rows"] = input_points(placement.y, PICTURE_SIDE)
        target["columns"] = input_points(placement.x, PICTURE_SIDE)
        if keeps_truth:
            target["truth"] = portrait.labels
    return Split(inputs, targets, image)
