"""Batches of a split as tensors, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch.utils.data import DataLoader, DistributedSampler
from torch.utils.data import Dataset as TorchDataset

from edgekit.data import Dataset, Split, random_crop, random_flip
from edgekit.tasks import Batch
from edgekit.training.recipe import Recipe

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Changes uint8 pixels of shape (B, H, W, C)."""


class TrainingBatches(TorchDataset):
    """Augmented batches; the augmentation's seed is the run's, the epoch and the first image of the batch.

    So neither the number of worker processes nor an interruption changes what a batch holds.
    """

    def __init__(self, dataset: Dataset, recipe: Recipe, changes: Sequence[Augment] = ()):
        self.changes = tuple(changes)
        self.split = dataset.train
        self.flips = dataset.flips
        self.padding = dataset.image.size // 8 if dataset.image else 0
        self.recipe = recipe
        # What moves pixels would have to move what fields say of them.
        self.moves = recipe.augment and dataset.train.labels.dtype.names is None
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.split)

    def __getitems__(self, indices: list[int]) -> Batch:
        rng = np.random.default_rng((self.recipe.seed, self.epoch, indices[0]))
        augment = partial(self._augment, rng=rng) if self.moves or self.changes else None
        return tensors_of(self.split, indices, augment=augment)

    def _augment(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.moves:
            pixels = random_crop(pixels, self.padding, rng)
            pixels = random_flip(pixels, rng) if self.flips else pixels
        for change in self.changes:
            pixels = change(pixels, rng)
        return pixels


class TrainingLoader:
    """Iterates over one epoch at a time; each process of a DDP run gets its own share.

    Args:
        changes: of a batch's pixels, after the recipe's own.
    """

    def __init__(
        self,
        dataset: Dataset,
        recipe: Recipe,
        rank: int = 0,
        world_size: int = 1,
        changes: Sequence[Augment] = (),
    ):
        self.batches = TrainingBatches(dataset, recipe, changes)
        self.sampler = DistributedSampler(self.batches, world_size, rank, shuffle=True, seed=recipe.seed)
        # A last batch of one or two images would spoil batch normalisation's statistics.
        drop_last = len(self.sampler) >= recipe.batch_size
        self.loader = DataLoader(
            self.batches,
            batch_size=recipe.batch_size,
            sampler=self.sampler,
            num_workers=recipe.workers,
            collate_fn=_as_is,
            drop_last=drop_last,
        )

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return len(self.loader)

    def epoch(self, number: int):
        """Yield the batches of epoch ``number``."""
        self.batches.epoch = number
        self.sampler.set_epoch(number)
        yield from self.loader


def _as_is(batch):
    return batch


def tensors_of(
    split: Split,
    indices: Sequence[int] | np.ndarray,
    device: torch.device | None = None,
    augment: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Batch:
    """Return the examples of ``split`` at ``indices`` as tensors, changed by ``augment``.

    Labels with fields become a dict of tensors.
    """

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    inputs, labels = split.batch(indices, augment)
    if labels.dtype.names is None:
        return Batch(tensor(inputs), tensor(labels))
    return Batch(tensor(inputs), {name: tensor(labels[name]) for name in labels.dtype.names})


def batches_of(split: Split, batch_size: int, device: torch.device | None = None):
    """Yield the batches of the whole split in order."""
    for start in range(0, len(split), batch_size):
        yield tensors_of(split, np.arange(start, min(start + batch_size, len(split))), device)
