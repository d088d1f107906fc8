"""Batches of a split as tensors, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch.utils.data import DataLoader, DistributedSampler
from torch.utils.data import Dataset as TorchDataset

from edgekit.data import Dataset, Mirror, Move, Shift, Split
from edgekit.tasks import Batch
from edgekit.training.recipe import Recipe
from edgekit.training.technique import Technique


class TrainingBatches(TorchDataset):
    """Augmented batches; the augmentation's seed is the run's, the epoch and the first image of the batch.

    So neither the number of worker processes nor an interruption changes what a batch holds.
    """

    def __init__(self, dataset: Dataset, recipe: Recipe, techniques: Sequence[Technique] = ()):
        self.changes = [one for one in techniques if type(one).augment is not Technique.augment]
        self.movers = [one for one in techniques if type(one).moves is not Technique.moves]
        can_move = dataset.image is not None and dataset.train.can_move
        _refuse(dataset, self.changes, () if can_move else self.movers)
        self.split = dataset.train
        self.flips = dataset.flips
        self.size = dataset.image.size if dataset.image else 0
        self.recipe = recipe
        self.is_moved = recipe.augment and can_move
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.split)

    def __getitems__(self, indices: list[int]) -> Batch:
        rng = np.random.default_rng((self.recipe.seed, self.epoch, indices[0]))
        moves = self._moves(len(indices), rng)
        change = partial(self._changed, rng=rng) if self.changes else None
        return tensors_of(self.split, indices, augment=change, moves=moves)

    def _moves(self, count: int, rng: np.random.Generator) -> list[Move]:
        moves: list[Move] = []
        if self.is_moved:
            moves.append(Shift.draw(count, self.size // 8, rng))
            if self.flips:
                moves.append(Mirror.draw(count, self.size, rng))
        return [*moves, *(one for mover in self.movers for one in mover.moves(count, self.size, rng))]

    def _changed(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        for technique in self.changes:
            pixels = technique.augment(pixels, rng)
        return pixels


def _refuse(dataset: Dataset, changes: Sequence[Technique], movers: Sequence[Technique]) -> None:
    """Refuse techniques after which what is known of an image would not be true any more."""
    labels = dataset.train.labels
    has_one_label = labels.ndim == 1 and labels.dtype.names is None
    for one in changes:
        if not (has_one_label or one.keeps_places):
            raise ValueError(
                f"{type(one).__name__} changes pixels alone, and {dataset.name!r} has more than one label "
                "for each example; leave out those that erase or shuffle pixels"
            )
    for one in movers:
        raise ValueError(
            f"{type(one).__name__} moves images, and what {dataset.name!r} knows of each is true only where "
            "it was; leave it out"
        )


class TrainingLoader:
    """Iterates over one epoch at a time; each process of a DDP run gets its own share.

    Args:
        techniques: move images and change their pixels, after the recipe's own moves.
    """

    def __init__(
        self,
        dataset: Dataset,
        recipe: Recipe,
        rank: int = 0,
        world_size: int = 1,
        techniques: Sequence[Technique] = (),
    ):
        self.batches = TrainingBatches(dataset, recipe, techniques)
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
    moves: Sequence[Move] = (),
) -> Batch:
    """Return the examples of ``split`` at ``indices`` as tensors, moved and changed by ``augment``.

    Fields become a dict of tensors.
    """

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    inputs, labels = split.batch(indices, augment, moves) if moves else split.batch(indices, augment)
    if labels.dtype.names is None:
        return Batch(tensor(inputs), tensor(labels))
    return Batch(tensor(inputs), {name: tensor(labels[name]) for name in labels.dtype.names})


def batches_of(split: Split, batch_size: int, device: torch.device | None = None):
    """Yield the batches of the whole split in order."""
    for start in range(0, len(split), batch_size):
        yield tensors_of(split, np.arange(start, min(start + batch_size, len(split))), device)
