"""Pictures with one face each, as many as asked for: the same ones from the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgekit.data.faces.face import Face
from edgekit.data.faces.kept import KeptFaces
from edgekit.data.faces.photographs import photographs
from edgekit.data.faces.portrait import Portrait, compose
from edgekit.data.faces.toy import draw_toy_face

# What is trained and tested on shares neither faces nor photographs.
_TRAINING_SEED, _TEST_SEED = 0, 1


class Portraits(Sequence[Portrait]):
    """Portrait number i shows face ``i % len(faces)``, differently placed and lit each time.

    Args:
        faces: what is set on the photographs.
        photographs: see ``photographs``.
        count: of portraits.
        seed: of all that is drawn by chance.
    """

    def __init__(self, faces: Sequence[Face], photographs: Sequence[np.ndarray], count: int, seed: int):
        self.faces, self.photographs, self.count, self.seed = faces, photographs, count, seed

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Portrait:
        if not 0 <= index < self.count:
            raise IndexError(index)
        rng = np.random.default_rng((self.seed, index))
        return compose(self.faces[index % len(self.faces)], self.photographs, rng)


def artists_portraits(count: int, faces: int, *, training: bool, folder: Path | None = None) -> Portraits:
    """Return portraits with faces drawn by artists.

    Args:
        faces: how many to draw; each takes a quarter of a second once, and is then kept.
        training: to train on, or to test on.
        folder: where faces are kept.
    """
    seed = _TRAINING_SEED if training else _TEST_SEED
    return Portraits(KeptFaces(seed, faces, folder), photographs(training), count, seed)


def toy_portraits(count: int, *, training: bool) -> Portraits:
    """Return portraits with faces of ellipses on one photograph, as fast as tests need them."""
    seed = _TRAINING_SEED if training else _TEST_SEED
    rng = np.random.default_rng(seed)
    faces = [draw_toy_face(rng) for _ in range(min(count, 64))]
    return Portraits(faces, photographs(training, few=True), count, seed)
