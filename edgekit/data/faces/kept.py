"""Faces drawn once and kept on disk: the folder can be removed, the seed draws the same again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgekit.data.download import cache_folder
from edgekit.data.faces.artists import BOX, draw_face
from edgekit.data.faces.face import Face
from runtime.bundle import write_atomic
from runtime.errors import DataError

_DRAWING = 1  # grows with each change to what is drawn from a seed


class KeptFaces(Sequence[Face]):
    """Artists' faces number 0 to ``count`` of a seed; each is drawn when it is first asked for.

    Args:
        folder: where they are kept; ``None``: where edgekit keeps downloads.
    """

    def __init__(self, seed: int, count: int, folder: Path | None = None):
        self.seed, self.count = seed, count
        self.folder = folder or cache_folder("faces")

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Face:
        """Return a face, read from disk or drawn and kept.

        Raises:
            MissingExtra: it must be drawn, and python-avatars is not installed.
            DataError: the folder cannot be written to.
        """
        if not 0 <= index < self.count:
            raise IndexError(index)
        path = self.folder / f"drawing{_DRAWING}" / f"{self.seed}-{index}.npz"
        try:
            with np.load(path) as kept:
                return Face(kept["pixels"], kept["labels"], BOX)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):  # not there yet, or spoiled
            face = draw_face(np.random.default_rng((self.seed, index)))
        data = io.BytesIO()
        np.savez_compressed(data, pixels=face.pixels, labels=face.labels)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, data.getvalue())
        except OSError as err:
            raise DataError(
                f"cannot keep faces below {path.parent} ({err}); make it writable or set XDG_CACHE_HOME"
            ) from err
        return face
