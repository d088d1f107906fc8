"""Easy classes first: which classes a network knows soonest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from edgekit.data import Dataset, Split
from edgekit.data.dataset import stratified_split
from edgekit.search.blocks.supernet import places_of
from runtime.errors import DataError

PATHS = 4
_BATCH = 256


def easiest_first(model: nn.Module, split: Split, classes: int, seed: int) -> tuple[int, ...]:
    """Return all classes, by the accuracy of a supernet's paths; of equal ones the lower comes first.

    Args:
        model: a supernet; four of its paths, drawn by lot, are asked together. Its places count these
            passes and no others.
        split: images that it did not learn from.
    """
    draws, device = np.random.default_rng(seed), next(model.parameters()).device
    for place in places_of(model):
        place.take_count()
    right, total = np.zeros(classes), np.zeros(classes)
    was_training = model.training
    model.eval()
    paths = [[int(draws.integers(len(place.names))) for place in places_of(model)] for _ in range(PATHS)]
    with torch.inference_mode():
        for start in range(0, len(split), _BATCH):
            inputs, labels = split.batch(np.arange(start, min(start + _BATCH, len(split))))
            outputs = 0
            for path in paths:
                for place, row in zip(places_of(model), path, strict=True):
                    place.take([row])
                outputs = outputs + model(torch.from_numpy(inputs).to(device)).softmax(1)
            hits = outputs.argmax(1).cpu().numpy() == labels
            np.add.at(right, labels, hits)
            np.add.at(total, labels, 1)
    for place in places_of(model):
        place.path = ()
    model.train(was_training)
    accuracy = right / np.maximum(total, 1)
    return tuple(int(label) for label in np.argsort(-accuracy, kind="stable"))


def part_of(split: Split, classes: Sequence[int]) -> Split:
    """Return the images of ``classes``."""
    return split.part(np.flatnonzero(np.isin(split.labels, classes)))


def first_share(order: Sequence[int], share: float) -> tuple[int, ...]:
    """Return the first ``share`` of ``order``, at least two, as ascending labels."""
    count = max(min(2, len(order)), round(share * len(order)))
    return tuple(sorted(order[:count]))


def check_images(dataset: Dataset, validation: float, seed: int) -> None:
    """Refuse data that a search cannot split: every class needs an image to learn from, and one to judge.

    Raises:
        DataError: a class has too few.
    """
    labels = dataset.train.labels
    judge = stratified_split(labels, validation, seed)[1]
    for number, name in enumerate(dataset.labels):
        count, judged = int((labels == number).sum()), int((labels[judge] == number).sum())
        if not 0 < judged < count:
            raise DataError(
                f"class {name!r} has {count} training images, of which {judged} would be kept for judging "
                "blocks; a search needs some to learn from and some to judge by"
            )
