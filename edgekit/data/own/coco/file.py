"""A JSON file of COCO's form, checked: https://cocodataset.org/#format-data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from edgekit.data.own.pictures import upright_size
from runtime.bundle.decoding import decode_json
from runtime.errors import DataError

_MOST_BYTES = 2 << 30  # instances_train2017.json has 0.47 GB


class Picture(msgspec.Struct):
    """A picture and where it is, below the folder of pictures."""

    id: int
    file_name: str
    width: int
    height: int


class Annotation(msgspec.Struct):
    """An object in a picture, or a sentence on it.

    Attributes:
        bbox: left, top, width, height in pixels.
        segmentation: polygons, or runs of pixels: see ``segments``.
        keypoints: x, y and whether it is seen, for each point of its category.
        iscrowd: 1: many objects in one, which count in masks only.
    """

    id: int
    image_id: int
    category_id: int | None = None
    bbox: tuple[float, float, float, float] | None = None
    segmentation: Any = None
    keypoints: list[float] = []
    iscrowd: int = 0
    caption: str | None = None


class Category(msgspec.Struct):
    """A class; ``skeleton`` joins two of its ``keypoints`` each, counted from 1."""

    id: int
    name: str
    keypoints: tuple[str, ...] = ()
    skeleton: list[tuple[int, int]] = []


class _Document(msgspec.Struct):
    images: list[Picture]
    annotations: list[Annotation]
    categories: list[Category] = []


class CocoFile:
    """A file, its pictures in their order and what each of them shows.

    Attributes:
        pictures: with their ``paths``.
        known: annotations of each picture.
        categories: in the order of their numbers.

    Raises:
        DataError: it cannot be read, or speaks of pictures or categories that it does not have; a picture is
            missing; a box has no area or is no part of its picture.
    """

    def __init__(self, path: Path, folder: Path):
        self.path = path
        if not path.is_file():
            raise DataError(f"there is no file {path}; give one of COCO's form")
        try:
            data = path.read_bytes()
        except OSError as err:
            raise DataError(f"cannot read {path} ({err}); give a file of COCO's form") from err
        advice = "give a file of COCO's form: images, annotations, categories"
        document = decode_json(
            data, _Document, where=f"{path} is no COCO file", advice=advice, most_bytes=_MOST_BYTES
        )
        self.pictures, self.categories = document.images, sorted(document.categories, key=lambda one: one.id)
        if not self.pictures:
            raise DataError(f"{path} names no image; {advice}")
        self._refuse_twice("an image of id", [one.id for one in self.pictures])
        self._refuse_twice("a category of id", [one.id for one in self.categories])
        self._refuse_twice("a category called", [one.name for one in self.categories])
        self.paths = tuple(self._find(one, folder) for one in self.pictures)
        of_id = {one.id: one for one in self.pictures}
        kinds = {one.id for one in self.categories}
        grouped: dict[int, list[Annotation]] = defaultdict(list)
        for one in document.annotations:
            if one.image_id not in of_id:
                raise self._wrong(one, f"is of image {one.image_id}, which the file does not have")
            if one.category_id not in kinds and (one.bbox or one.segmentation or one.keypoints):
                raise self._wrong(one, f"is of category {one.category_id}, which the file does not have")
            self._check_box(one, of_id[one.image_id])
            grouped[one.image_id].append(one)
        self.known = [grouped[one.id] for one in self.pictures]

    def keypoint_category(self) -> Category | None:
        """Return the category whose keypoints are marked; ``None``: there is none.

        Raises:
            DataError: categories have unlike lists of points.
        """
        having = [one for one in self.categories if one.keypoints]
        if len({one.keypoints for one in having}) > 1:
            names = ", ".join(one.name for one in having)
            raise DataError(f"{self.path}: {names} have unlike keypoints; keep one list of points a file")
        return having[0] if having else None

    def check_size(self, index: int) -> None:
        """Hold picture number ``index`` against the size that the file tells; its head is read.

        Raises:
            DataError: it has another.
        """
        told, path = self.pictures[index], self.paths[index]
        width, height = upright_size(path)
        if (width, height) != (told.width, told.height):
            raise DataError(
                f"{path} is {width}x{height} pixels as its EXIF turns it, {self.path.name} says "
                f"{told.width}x{told.height}; save it upright in that size, or correct the file"
            )

    def _refuse_twice(self, what: str, values: Sequence[object]) -> None:
        for value, count in Counter(values).items():
            if count > 1:
                raise DataError(f"{self.path} has {what} {value!r} {count} times; keep one")

    def _find(self, picture: Picture, folder: Path) -> Path:
        parts = PurePosixPath(picture.file_name).parts
        path = folder.joinpath(*parts)
        if picture.width < 1 or picture.height < 1:
            size = f"{picture.width}x{picture.height}"
            raise DataError(f"{self.path} says that {picture.file_name!r} has {size} pixels; correct it")
        if not parts or ".." in parts or parts[0] == "/" or not path.is_file():
            raise DataError(
                f"{self.path} names the picture {picture.file_name!r}, which is not in {folder}; put it "
                "there, or take it out of the file"
            )
        return path

    def _check_box(self, one: Annotation, picture: Picture) -> None:
        if one.bbox is None:
            return
        left, top, width, height = one.bbox
        told = ", ".join(f"{number:g}" for number in one.bbox)
        if not (width > 0 and height > 0):
            raise self._wrong(one, f"has a box of no area, {told} (left, top, width, height)")
        if left >= picture.width or top >= picture.height or left + width <= 0 or top + height <= 0:
            size = f"{picture.width}x{picture.height}"
            raise self._wrong(one, f"has a box outside its picture of {size} pixels, {told}")

    def _wrong(self, one: Annotation, problem: str) -> DataError:
        return DataError(f"{self.path}: annotation {one.id} {problem}; correct it, or take it out")
