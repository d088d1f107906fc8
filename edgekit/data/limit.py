"""Fewer training images, of every class alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgekit.data.dataset import Dataset, strata_of
from runtime.errors import DataError


def limit_training(dataset: Dataset, count: int, seed: int = 0) -> Dataset:
    """Return ``dataset`` with ``count`` training images; the test images stay.

    Every class has as many, but for one, as far as it has them; where an image has more than a label they are
    drawn by lot. The same seed gives the same images.

    Args:
        count: 0 leaves all.

    Raises:
        DataError: less than one image per class, or more than there are.

    Example:
        >>> len(limit_training(load_dataset("digits"), 500).train)
        500
    """
    strata, total = strata_of(dataset.train.labels), len(dataset.train)
    classes = len(dataset.labels) if strata is dataset.train.labels else 1
    if not count:
        return dataset
    if not classes <= count <= total:
        raise DataError(
            f"the limit is {count} images; {dataset.name!r} has {classes} classes and {total} training "
            f"images: choose from {classes} to {total}"
        )
    return replace(dataset, train=dataset.train.part(balanced(strata, count, seed)))


def balanced(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return ``count`` sorted indices: in turns one of each class, in random order within a class."""
    order = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        turn[members] = np.arange(len(members))
    first = np.lexsort((np.argsort(order), turn))  # by turn, and within one by lot
    return np.sort(first[:count])
