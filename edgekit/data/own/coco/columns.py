"""What a COCO file tells of its pictures as columns of fields, on the network's input."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from edgekit.data.fields import UNCOUNTED, cut_boxes, cut_points
from edgekit.data.own.coco.file import Annotation, CocoFile, Picture
from edgekit.data.own.coco.segments import draw_segment
from edgekit.data.own.pictures import placed
from runtime.bundle import ImageSpec
from runtime.bundle.prestep import PreStep
from runtime.errors import DataError
from runtime.processing.sampling import labels_on_input

_WORD = re.compile(r"[\w']+")
UNKNOWN = "?"  # a word that no sentence of the training part has


class CocoColumns:
    """Columns of a file; objects that are crowds are in masks only.

    Args:
        numbers: of the classes, by category.
        most: objects that a row of boxes has room for.
    """

    def __init__(self, file: CocoFile, image: ImageSpec, pre: PreStep, numbers: dict[int, int], most: int):
        self.file, self.image, self.numbers, self.most = file, image, numbers, most
        self.places = [placed(pre, image, one.width, one.height) for one in file.pictures]

    def boxes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes, float32, shape (N, most, 4), and their classes, int64, shape (N, most)."""
        boxes = np.zeros((len(self.places), self.most, 4), np.float32)
        classes = np.full((len(self.places), self.most), -1, np.int64)
        for row, (place, known) in enumerate(zip(self.places, self.file.known, strict=True)):
            for slot, one in enumerate(objects(known)):
                left, top, width, height = one.bbox
                xs = place.x.to_input(np.clip([left, left + width], 0, place.width))
                ys = place.y.to_input(np.clip([top, top + height], 0, place.height))
                box = np.array([xs[0], ys[0], xs[1], ys[1]])
                boxes[row, slot] = cut_boxes(box, self.image.size)
                classes[row, slot] = self.numbers[one.category_id]
        return boxes, classes

    def keypoints(self, count: int) -> np.ndarray:
        """Return ``count`` points for each box, float32, shape (N, most, count, 3)."""
        points = np.zeros((len(self.places), self.most, count, 3), np.float32)
        for row, (place, known) in enumerate(zip(self.places, self.file.known, strict=True)):
            for slot, one in enumerate(objects(known)):
                if not one.keypoints:
                    continue
                if len(one.keypoints) != 3 * count:
                    raise DataError(
                        f"{self.file.path}: annotation {one.id} has {len(one.keypoints)} numbers of "
                        f"keypoints; its category has {count} points of 3"
                    )
                given = np.array(one.keypoints, np.float64).reshape(count, 3)
                xs, ys = place.x.to_input(given[:, 0]), place.y.to_input(given[:, 1])
                points[row, slot] = cut_points(np.stack([xs, ys, given[:, 2]], axis=1), self.image.size)
        return points

    def captions(self, words: Sequence[str], shape: tuple[int, int]) -> np.ndarray:
        """Return sentences as numbers of ``words``, int64, shape (N, sentences, length), -1 after the end."""
        number = {word: index for index, word in enumerate(words)}
        found = np.full((len(self.places), *shape), -1, np.int64)
        for row, sentences in zip(found, sentences_of(self.file), strict=True):
            for slot, sentence in zip(row, sentences, strict=False):
                told = [number.get(word, 0) for word in sentence][: len(slot)]
                slot[: len(told)] = told
        return found


class CocoMasks:
    """The class of each pixel by outlines, drawn when asked for; smaller objects lie on larger ones.

    Attributes:
        shape: (N, size, size).
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, columns: CocoColumns):
        self.columns = columns
        self.shape = (len(columns.places), *[columns.image.size] * 2)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        return np.stack([self._draw(index) for index in indices])

    def _draw(self, index: int) -> np.ndarray:
        columns = self.columns
        columns.file.check_size(index)  # before memory is taken for what the file says
        picture, place = columns.file.pictures[index], columns.places[index]
        drawn = np.zeros((picture.height, picture.width), np.uint8)
        outlined = [one for one in columns.file.known[index] if one.segmentation]
        shapes = [(self._shape(one, picture), one) for one in outlined]
        for shape, one in sorted(shapes, key=lambda pair: -int(pair[0].sum())):
            drawn[shape] = columns.numbers[one.category_id]
        return labels_on_input(drawn, place, columns.image.size, outside=UNCOUNTED)

    def _shape(self, one: Annotation, picture: Picture) -> np.ndarray:
        try:
            return draw_segment(one.segmentation, picture.width, picture.height)
        except ValueError as err:
            path = self.columns.file.path
            raise DataError(f"{path}: annotation {one.id}: {err}; correct it, or take it out") from err


class CheckedSizes:
    """The pictures of a file, each held against the size that the file tells, when it is read."""

    def __init__(self, file: CocoFile, images):
        self.file, self.images = file, images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        for index in indices:
            self.file.check_size(index)
        return self.images[indices]


def objects(known: Sequence[Annotation]) -> list[Annotation]:
    """Return what has a box of its own."""
    return [one for one in known if one.bbox is not None and not one.iscrowd]


def sentences_of(file: CocoFile) -> list[list[list[str]]]:
    """Return the words of each sentence of each picture, in small letters."""
    return [
        [_WORD.findall(one.caption.lower()) for one in known if one.caption is not None]
        for known in file.known
    ]


def words_of(file: CocoFile) -> tuple[str, ...]:
    """Return ``UNKNOWN`` and the words of all sentences, the most frequent first."""
    counts = Counter(word for known in sentences_of(file) for words in known for word in words)
    return (UNKNOWN, *sorted(counts, key=lambda word: (-counts[word], word)))
