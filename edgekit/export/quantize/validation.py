"""Accuracy of a model and of its exported file on labelled inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from edgekit.export.backend import Exported
from edgekit.export.graph import Frame
from edgekit.export.parity import run_eager, run_file
from edgekit.export.quantize.calibration import find_images
from runtime.bundle import ImageSpec
from runtime.errors import DataError
from runtime.processing.images import load_image

N_VALIDATION = 1000


@dataclass(frozen=True)
class Validation:
    """Real inputs with the class each shows, and what they are, for people."""

    frames: tuple[Frame, ...]
    labels: np.ndarray
    described: str

    def __post_init__(self) -> None:
        if not self.frames:
            raise DataError(f"the validation set is empty ({self.described}); give labelled images")
        if len(self.frames) != len(self.labels):
            raise DataError(f"{len(self.frames)} validation images have {len(self.labels)} labels")

    def accuracy_of_model(self, model: nn.Module) -> float:
        """Return the share of inputs whose label gets the highest score of the eager ``model``."""
        return self._accuracy(run_eager(model, self.frames))

    def accuracy_of_file(self, engine: str, exported: Exported) -> float:
        """Return the same for an exported file, run by its engine."""
        with exported.as_file() as path:
            return self._accuracy(run_file(engine, path, self.frames, exported.inputs, exported.outputs))

    def _accuracy(self, outputs: Sequence[Sequence[np.ndarray]]) -> float:
        scores = np.stack([frame[0].reshape(-1) for frame in outputs])
        if scores.shape[1] <= self.labels.max():
            raise DataError(
                f"the model gives {scores.shape[1]} scores, a label is {self.labels.max()}: "
                "the validation set has other classes"
            )
        return float((scores.argmax(1) == self.labels).mean())


def load_validation(folder: str | Path, image: ImageSpec, labels: Sequence[str]) -> Validation:
    """Return the images of ``folder``, whose sub-folders are called as the classes or are their numbers.

    Raises:
        DataError: there is no image, or a sub-folder is no class of the model.
    """
    root = Path(folder)
    classes = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    if not classes:
        raise DataError(f"{root} has no sub-folders; put the images of each class into one with its name")
    frames, truth = [], []
    for path in classes:
        index = _class_index(path.name, labels)
        found = find_images(path)
        frames += [(load_image(file, image),) for file in found]
        truth += [index] * len(found)
    return Validation(tuple(frames), np.asarray(truth, dtype=np.int64), f"images of {root.name}")


def _class_index(name: str, labels: Sequence[str]) -> int:
    plain = [label.replace("/", "_").casefold() for label in labels]
    if name.casefold() in plain:
        return plain.index(name.casefold())
    if name.isdigit() and (not labels or int(name) < len(labels)):
        return int(name)
    raise DataError(f"the folder {name!r} is no class of the model; there are {', '.join(labels[:5])}, ...")
