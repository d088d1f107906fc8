"""Tunes as a trainer takes them: windows of equal length, in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.data.dataset import DATASETS
from edgekit.data.tunes.collection import Tunes, load_tunes
from edgekit.data.tunes.grid import STEPS_PER_BAR
from runtime.bundle import ImageSpec

WINDOW_BARS = 16  # most folk tunes are shorter; a longer one is cut


@dataclass(frozen=True)
class TuneSplit:
    """Windows of tunes in a fixed order.

    Attributes:
        labels: events, int64, shape (N, steps), -1 after a tune's end: what is given and what is expected.
    """

    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, indices: np.ndarray) -> TuneSplit:
        """Return the windows at ``indices``, in this order."""
        return TuneSplit(self.labels[indices])

    def batch(
        self, indices: Sequence[int] | np.ndarray, augment: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the events of windows twice, as inputs and as targets, cut after the longest tune's end."""
        events = self.labels[np.asarray(indices, dtype=np.int64)]
        if augment is not None:
            events = augment(events)
        longest = int((events >= 0).sum(axis=1).max(initial=STEPS_PER_BAR))
        return events[:, :longest], events[:, :longest]


@dataclass(frozen=True)
class TuneDataset:
    """A train and a test split of tunes; they have no image."""

    name: str
    train: TuneSplit
    test: TuneSplit
    labels: tuple[str, ...] = ()
    image: ImageSpec | None = None
    flips: bool = False
    frames: int = 0


def tune_dataset(name: str, tunes: Tunes) -> TuneDataset:
    """Return ``tunes`` in windows of sixteen bars.

    Example:
        >>> tune_dataset("drawn", load_tunes("drawn")).train.batch([0])[0].shape     # doctest: +SKIP
        (1, 128)
    """
    return TuneDataset(name, TuneSplit(_windows(tunes.train)), TuneSplit(_windows(tunes.test)))


@DATASETS.register("tunes")
def load_tune_windows(root: Path | None = None, image_size: int | None = None) -> TuneDataset:
    """Return the tunes that come with music21, or of the ABC and MIDI files below ``root``."""
    tunes = load_tunes("essen", "ryan") if root is None else load_tunes("folder", root=root)
    return tune_dataset("tunes", tunes)


@DATASETS.register("drawn-tunes")
def load_drawn_windows(root: Path | None = None, image_size: int | None = None) -> TuneDataset:
    """Return tunes that are drawn from a seed: for tests."""
    return tune_dataset("drawn-tunes", load_tunes("drawn"))


def _windows(tunes: Sequence[np.ndarray]) -> np.ndarray:
    steps = WINDOW_BARS * STEPS_PER_BAR
    parts = [events[start : start + steps] for events in tunes for start in range(0, len(events), steps)]
    windows = np.full((len(parts), steps), -1, dtype=np.int64)
    for window, part in zip(windows, parts, strict=True):
        window[: len(part)] = part
    return windows
