"""The score of a model and of its exported file on real inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import nn

from edgekit.export.backend import Exported
from edgekit.export.parity import run_eager, run_file
from edgekit.export.quantize.calibration import find_images
from edgekit.tasks import Classification, Frame, Task
from runtime.bundle import ImageSpec
from runtime.errors import DataError
from runtime.processing.images import load_image

N_VALIDATION = 1000


@dataclass(frozen=True)
class Validation:
    """Real inputs with what is right of each, what they are, for people, and the task that scores them."""

    frames: tuple[Frame, ...]
    truths: np.ndarray
    described: str
    task: Task = field(default_factory=Classification)

    def __post_init__(self) -> None:
        if not self.frames:
            raise DataError(f"the validation set is empty ({self.described}); give labelled images")
        if len(self.frames) != len(self.truths):
            raise DataError(f"{len(self.frames)} validation images have {len(self.truths)} labels")

    def score_of_model(self, model: nn.Module) -> float:
        """Return the task's score of the eager ``model``."""
        return self._score(run_eager(model, self.frames))

    def score_of_file(self, engine: str, exported: Exported) -> float:
        """Return the same for an exported file, run by its engine."""
        with exported.as_file() as path:
            return self._score(run_file(engine, path, self.frames, exported.inputs, exported.outputs))

    def _score(self, outputs: Sequence[Sequence[np.ndarray]]) -> float:
        joined = [np.concatenate(parts) for parts in zip(*outputs, strict=True)]
        return self.task.score(self.task.decode(joined, self.truths), self.truths)


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
