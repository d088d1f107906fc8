"""Clips of moving pictures: one folder per class, in it videos or folders of frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.data.dataset import DATASETS, Dataset, Split
from edgekit.data.own.parts import checked_root, split_classes
from edgekit.data.own.pictures import make_pixels, photograph, pictures_below, read_pixels
from edgekit.data.own.video import VIDEO_SUFFIXES, evenly_spread, read_frames
from runtime.bundle import ImageSpec
from runtime.bundle.prestep import Whole
from runtime.errors import DataError

_HOLDS = "a sub-folder per class, each with videos, or a folder of frames for each clip"
FRAMES = 8  # of a clip: what temporal segment and shift networks take


@DATASETS.register("clip-folder")
def load_clip_folder(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return clips of eight frames, spread evenly over each video or folder of frames, with their classes.

    Either ``root/train/CLASS/*`` and ``root/test/CLASS/*`` (or ``val``), or ``root/CLASS/*``, of which a
    fifth of every class is kept for the test. Frames are the pictures of a folder in the order of their
    names. Videos take PyAV: the extra ``video``.

    Raises:
        DataError: no clips; once it is read, one that is damaged, ends early, or is too short.
        MissingExtra: there is a video, and PyAV is not installed.
    """
    root = checked_root(root, "clip-folder", _HOLDS)
    image = photograph(image_size or 112)
    classes, *parts = split_classes(root, _clips, "clip")
    splits = [Split(ClipFiles(paths, image), labels, image) for paths, labels in parts]
    return Dataset("clip-folder", splits[0], splits[1], classes, image, frames=FRAMES)


@dataclass(frozen=True)
class ClipFiles:
    """Videos and folders of frames; indexing reads ``FRAMES`` of each, whole, uint8 (B, T, H, W, C)."""

    paths: tuple[Path, ...]
    image: ImageSpec

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        return np.stack([self._read(self.paths[index]) for index in indices])

    def _read(self, path: Path) -> np.ndarray:
        if path.is_dir():
            files = pictures_below(path, "give each clip its frames")
            if len(files) < FRAMES:
                raise DataError(f"{path} has {len(files)} frames; a clip needs {FRAMES} at least")
            chosen = evenly_spread(FRAMES, len(files))
            return np.stack([read_pixels(files[index], Whole(), self.image) for index in chosen])
        return np.stack([make_pixels(one, Whole(), self.image) for one in read_frames(path, FRAMES)])


def _clips(folder: Path) -> list[Path]:
    inside = folder.iterdir()
    return [one for one in inside if one.is_dir() or (one.suffix.lower() in VIDEO_SUFFIXES and one.is_file())]
