"""What a dataset holds, in numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.data.dataset import DATASETS, Dataset, Split
from edgekit.data.fields import Boxes, Caption, Fields, Identity, Keypoints, Label, Mask
from edgekit.data.tunes import TuneDataset

_BATCH = 64
_PIXELS = "pixels"


@dataclass(frozen=True)
class FieldInfo:
    """What is known of each example: its kind, the shape of one's values, and what else there is to say."""

    name: str
    kind: str
    shape: tuple[int, ...]
    told: str = ""

    def row(self) -> tuple[str | None, ...]:
        """Return it as cells of a table."""
        return self.name, self.kind, "x".join(map(str, self.shape)) or None, self.told or None


@dataclass(frozen=True)
class Count:
    """How many of a class a part holds; ``of`` says what is counted."""

    label: str
    of: str
    train: int
    test: int


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset in numbers.

    Attributes:
        train, test: examples of each part.
        size, channels: of an image in pixels; 0: there is none.
        frames: of a clip; 0: these are no clips.
        counts: of each class.
    """

    name: str
    train: int
    test: int
    size: int
    channels: int
    frames: int
    flips: bool
    fields: list[FieldInfo]
    counts: list[Count]

    def headline(self) -> str:
        """Return how many examples there are, and of what size, in words."""
        pixels = f", {self.size}x{self.size} pixels in {self.channels} channels" if self.size else ""
        clips = f", {self.frames} frames each" if self.frames else ""
        return f"{self.name}: {self.train} examples to train on, {self.test} to test on{pixels}{clips}"


def describe_datasets() -> dict[str, str]:
    """Return the names that ``load_dataset`` knows, and what each is."""
    return {name: _first_line(DATASETS.get(name)) for name in DATASETS.names()}


def describe_dataset(
    dataset: Dataset | TuneDataset,
    *,
    reads_all: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> DatasetInfo:
    """Return what ``dataset`` holds; masks are read for that.

    Args:
        reads_all: read every example, so that a damaged file is found now.

    Raises:
        DataError: something cannot be read.
    """
    parts = dataset.train, dataset.test
    if reads_all:
        for name, split in zip(("train", "test"), parts, strict=True):
            for start in range(0, len(split), _BATCH):
                progress(f"reading {name} examples, {start} of {len(split)}")
                split.batch(np.arange(start, min(start + _BATCH, len(split))))
    image = dataset.image
    facts = (dataset.name, *map(len, parts), image.size if image else 0, image.channels if image else 0)
    if isinstance(dataset, TuneDataset):
        steps = dataset.train.labels.shape[1:]
        return DatasetInfo(*facts, 0, False, [FieldInfo("events", "sequence", steps)], [])
    fields = _fields(dataset)
    counts = _counts(dataset, progress)
    return DatasetInfo(*facts, dataset.frames, dataset.flips, fields, counts)


def _fields(dataset: Dataset) -> list[FieldInfo]:
    labels = dataset.train.labels
    if isinstance(labels, Fields):
        return [
            FieldInfo(
                name,
                type(kind).__name__.lower(),
                labels.columns[name].shape[1:],
                _told(kind, name, (dataset.train, dataset.test)),
            )
            for name, kind in labels.kinds.items()
        ]
    if labels.dtype.names is not None:
        return [FieldInfo(name, "fixed", labels.dtype[name].shape) for name in labels.dtype.names]
    kind = "mask" if dataset.train.has_masks else "label"
    return [FieldInfo(kind, kind, labels.shape[1:])]


def _told(kind: object, name: str, parts: Sequence[Split]) -> str:
    if isinstance(kind, Mask):
        return ""
    values = [split.labels[name] for split in parts]
    if isinstance(kind, Boxes):
        numbers = [_boxes_each(one) for one in values]
        return (
            f"{sum(int(n.sum()) for n in numbers)} boxes, up to {max(n.max(initial=0) for n in numbers)} each"
        )
    if isinstance(kind, Keypoints):
        return f"{len(kind.points)} points; {sum(int((one[..., 2] > 0).sum()) for one in values)} known"
    if isinstance(kind, Caption):
        sentences = sum(int((one >= 0).any(axis=-1).sum()) for one in values)
        return f"{sentences} sentences, {len(kind.words)} words"
    if isinstance(kind, Identity):
        return " and ".join(
            f"{len(np.unique(one))} to {what}" for one, what in zip(values, _USES, strict=True)
        )
    return ""


_USES = ("train on", "test on")


def _boxes_each(boxes: np.ndarray) -> np.ndarray:
    is_there = (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])
    return is_there.reshape(len(boxes), -1).sum(axis=1)


def _counts(dataset: Dataset, progress: Callable[[str], None]) -> list[Count]:
    """Return how often each class is there; not of identities, of which there are too many."""
    labels = dataset.train.labels
    counted: Mapping[str, str]
    if isinstance(labels, Fields):
        of_boxes = {kind.classes for kind in labels.kinds.values() if isinstance(kind, Boxes)}
        counted = {
            name: _PIXELS if isinstance(kind, Mask) else "boxes" if name in of_boxes else name
            for name, kind in labels.kinds.items()
            if isinstance(kind, Mask | Label) and not isinstance(kind, Identity)
        }
    elif labels.dtype.names is None:
        counted = {"": _PIXELS if dataset.train.has_masks else "images"}
    else:
        counted = {}
    counts = []
    for name, what in counted.items():
        progress(f"counting {what} of each class")
        names = _names(dataset, name)
        train, test = (_bins(split, name, len(names)) for split in (dataset.train, dataset.test))
        rows = zip(names, train.tolist(), test.tolist(), strict=True)
        counts += [Count(label, what, *each) for label, *each in rows if what != "boxes" or any(each)]
    return counts


def _names(dataset: Dataset, field: str) -> Sequence[str]:
    labels = dataset.train.labels
    own = getattr(labels.kinds[field], "names", ()) if isinstance(labels, Fields) else ()
    return own or dataset.labels


def _bins(split: Split, field: str, classes: int) -> np.ndarray:
    total = np.zeros(classes, np.int64)
    for start in range(0, len(split), _BATCH):
        part = np.arange(start, min(start + _BATCH, len(split)))
        labels = split.labels
        values = (labels.columns[field][part] if isinstance(labels, Fields) else labels[part]).ravel()
        known = values[(values >= 0) & (values < classes)].astype(np.int64)
        total += np.bincount(known, minlength=classes)
    return total


def _first_line(loader: Callable[..., object]) -> str:
    text = (loader.__doc__ or "").strip().partition("\n")[0]
    return text.removeprefix("Return ").rstrip(".")
