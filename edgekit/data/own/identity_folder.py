"""Pictures of people, or of anything to be known again: one folder for each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from edgekit.data.dataset import DATASETS, Dataset, Split
from edgekit.data.fields import Fields, Identity
from edgekit.data.own.parts import by_lot, checked_root, own_parts, sub_folders
from edgekit.data.own.pictures import ImageFiles, PictureDataset, photograph, pictures_below
from runtime.bundle.prestep import PreStep, Whole
from runtime.errors import DataError

_HOLDS = "a sub-folder for each identity"


@DATASETS.register("identity-folder")
def load_identity_folder(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return the pictures below ``root``, whose folder is their field ``identity``.

    Either ``root/train/WHO/*`` and ``root/test/WHO/*`` (or ``val``), which share nobody, or ``root/WHO/*``,
    where a fifth of the identities is kept for the test. The dataset's ``labels`` are who is trained on;
    those to test on have the numbers after them.

    Raises:
        DataError: fewer than two identities in a part, one that is in both, or a folder without a picture.
    """
    return _read(checked_root(root, "identity-folder", _HOLDS), image_size or 224, Whole())


def _read(root: Path, size: int, pre: PreStep) -> PictureDataset:
    image = photograph(size)
    if parts := own_parts(root):
        train, test = (sub_folders(part) for part in parts)
    else:
        found = sub_folders(root)
        train, test = (
            [found[i] for i in part] for part in by_lot(len(found), f"sub-folders of {root}, one an identity")
        )
    both = sorted({one.name for one in train} & {one.name for one in test})
    if both:
        raise DataError(
            f"{both[0]!r} is in the train and in the test part of {root}; test on others than are trained on"
        )
    for part, folders in (("train", train), ("test", test)):
        if len(folders) < 2:
            raise DataError(
                f"{root} has {len(folders)} identities in the {part} part; give at least 2, a folder for each"
            )
    names = tuple(one.name for one in (*train, *test))

    def split(folders: list[Path], first: int) -> Split:
        pictures = [pictures_below(one, "give each identity a picture, or no folder") for one in folders]
        who = np.repeat(np.arange(first, first + len(folders)), [len(one) for one in pictures])
        paths = tuple(path for one in pictures for path in one)
        return Split(
            ImageFiles(paths, image, pre), Fields({"identity": Identity(names)}, {"identity": who}), image
        )

    return PictureDataset(
        "identity-folder",
        split(train, 0),
        split(test, len(train)),
        list(names[: len(train)]),
        image,
        flips=True,
        pre=pre,
        read=partial(_read, root, size),
    )
