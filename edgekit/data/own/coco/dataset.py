"""The dataset ``coco``: pictures and a JSON file, or one to train on and one to test on."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from edgekit.data.dataset import DATASETS, Dataset, Split
from edgekit.data.fields import Boxes, Caption, Column, Field, Fields, Keypoints, Label, Mask
from edgekit.data.own.coco.columns import (
    CheckedSizes,
    CocoColumns,
    CocoMasks,
    objects,
    sentences_of,
    words_of,
)
from edgekit.data.own.coco.file import Category, CocoFile
from edgekit.data.own.parts import by_lot, checked_root, own_parts
from edgekit.data.own.pictures import ImageFiles, PictureDataset, photograph
from runtime.bundle import ImageSpec
from runtime.bundle.prestep import PreStep, Whole
from runtime.errors import DataError

_ALL = "annotations.json"
_HOLDS = f"a folder images and {_ALL}, or train.json and test.json, of COCO's form"


@DATASETS.register("coco")
def load_coco(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return pictures with what a file of COCO's form tells of them, as fields.

    ``root/images`` holds the pictures; ``root/train.json`` and ``root/test.json`` (or ``val.json``) tell of
    them, or ``root/annotations.json``, of whose pictures a fifth is kept for the test. Fields, where the
    file has them: ``boxes`` and their ``classes``, ``mask`` from outlines, ``keypoints`` of each box,
    ``captions``. Class 0 is the background, the categories follow in the order of their numbers.

    Raises:
        DataError: a file that is not of this form, or does not hold; a picture that is missing; once it is
            read, one of another size or an outline that cannot be drawn.
    """
    return _read(checked_root(root, "coco", _HOLDS), image_size or 224, Whole())


def _read(root: Path, size: int, pre: PreStep) -> PictureDataset:
    image, folder = photograph(size), root / "images"
    if parts := own_parts(root, ".json"):
        train, test = (CocoFile(path, folder) for path in parts)
        if [(one.id, one.name) for one in train.categories] != [
            (one.id, one.name) for one in test.categories
        ]:
            raise DataError(f"{train.path} and {test.path} have unlike categories; give both the same")
    else:
        whole = CocoFile(root / _ALL, folder)
        train, test = (
            part_of(whole, part) for part in by_lot(len(whole.pictures), f"images of {whole.path}")
        )
    plan = _Plan.of(train, test)
    return PictureDataset(
        "coco",
        plan.split(train, image, pre),
        plan.split(test, image, pre),
        ["background", *(one.name for one in train.categories)],
        image,
        flips=plan.sentences is None,  # "on the left" would not be true in a mirror
        pre=pre,
        read=partial(_read, root, size),
    )


def part_of(file: CocoFile, indices: np.ndarray) -> CocoFile:
    """Return the file of some of its pictures."""
    part = copy.copy(file)
    part.pictures, part.known = [file.pictures[i] for i in indices], [file.known[i] for i in indices]
    part.paths = tuple(file.paths[i] for i in indices)
    return part


@dataclass(frozen=True)
class _Plan:
    """Which fields both parts have, and of which shape.

    Attributes:
        most: objects with a box in a picture, at most; 0: none has one.
        points: the category whose keypoints there are.
        words, sentences: of captions; how many a picture has and how long they are, at most.
    """

    most: int
    has_outlines: bool
    points: Category | None
    words: Sequence[str]
    sentences: tuple[int, int] | None

    @staticmethod
    def of(train: CocoFile, test: CocoFile) -> _Plan:
        known = [one for file in (train, test) for one in file.known]
        told = [one for file in (train, test) for one in sentences_of(file) if one]
        has_points = any(one.keypoints for annotations in known for one in objects(annotations))
        plan = _Plan(
            max(len(objects(one)) for one in known),
            any(one.segmentation for annotations in known for one in annotations),
            train.keypoint_category() if has_points else None,
            words_of(train),
            (max(map(len, told)), max(len(words) for one in told for words in one) or 1) if told else None,
        )
        if not (plan.most or plan.has_outlines or plan.sentences):
            raise DataError(f"{train.path} tells neither boxes nor outlines nor captions; give one that does")
        return plan

    def split(self, file: CocoFile, image: ImageSpec, pre: PreStep) -> Split:
        numbers = {one.id: number for number, one in enumerate(file.categories, 1)}
        columns = CocoColumns(file, image, pre, numbers, self.most)
        kinds: dict[str, Field] = {}
        values: dict[str, Column] = {}
        if self.has_outlines:
            kinds["mask"], values["mask"] = Mask(), CocoMasks(columns)
        if self.most:
            kinds |= {"boxes": Boxes(image.size, classes="classes"), "classes": Label()}
            values["boxes"], values["classes"] = columns.boxes()
        if self.points is not None:
            names = self.points.keypoints
            bones = tuple((one - 1, other - 1) for one, other in self._bones(file, len(names)))
            kinds["keypoints"] = Keypoints(image.size, names, bones)
            values["keypoints"] = columns.keypoints(len(names))
        if self.sentences is not None:
            kinds["captions"] = Caption(tuple(self.words))
            values["captions"] = columns.captions(self.words, self.sentences)
        images = CheckedSizes(file, ImageFiles(file.paths, image, pre))
        return Split(images, Fields(kinds, values), image)

    def _bones(self, file: CocoFile, count: int) -> list[tuple[int, int]]:
        bones = self.points.skeleton if self.points else []
        if any(not 1 <= end <= count for bone in bones for end in bone):
            raise DataError(f"{file.path}: a skeleton joins points outside 1 to {count}; correct it")
        return bones
