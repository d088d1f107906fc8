"""Classification: one label per image, scored by top-1 accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from edgekit.data import Dataset
from edgekit.tasks.graph import Examples, SourceGraph
from edgekit.tasks.task import TASKS, Batch, Net, Task
from runtime.bundle import MAIN_GRAPH
from runtime.errors import DataError


@TASKS.register("classification")
@dataclass(frozen=True)
class Classification(Task):
    """One label per image.

    Attributes:
        label_smoothing: share of the target spread over all classes.
    """

    name: ClassVar[str] = "classification"
    metric: ClassVar[str] = "top1"
    takes: ClassVar[str] = "a picture"
    gives: ClassVar[str] = "labels"
    data: ClassVar[str] = "digits, fashion-mnist, cifar10, folder"
    minutes: ClassVar[float | None] = 0.8  # ResNet-20 on digits
    label_smoothing: float = 0.0

    def view(self, dataset: Dataset) -> Dataset:
        """Return ``dataset`` as it is.

        Raises:
            DataError: an image has fields, or a mask, in place of one label, or it is a clip.
        """
        if dataset.frames:
            raise DataError(
                f"{dataset.name!r} holds clips of {dataset.frames} frames, a classifier takes one picture; "
                "choose other data, or a task that these are for (edgekit tasks)"
            )
        labels = dataset.train.labels
        if labels.dtype.names is not None or labels.ndim > 1:
            held = ", ".join(labels.dtype.names or ("a class for each pixel",))
            raise DataError(
                f"each image of {dataset.name!r} has {held}, but a classifier learns one label per image; "
                "choose other data, or a task that these are for (edgekit tasks)"
            )
        return dataset

    def losses(self, net: Net, batch: Batch) -> Mapping[str, Tensor]:
        """Return the cross-entropy of logits (B, classes) and labels (B,), or shares (B, classes)."""
        outputs = net(batch.inputs)
        return {
            "cross_entropy": F.cross_entropy(outputs, batch.targets, label_smoothing=self.label_smoothing)
        }

    def decode(self, outputs: Sequence[np.ndarray], targets: np.ndarray) -> np.ndarray:
        """Return the class of the highest score of each image, shape (B,).

        Raises:
            DataError: a label is no class of the network.
        """
        scores = outputs[0].reshape(len(outputs[0]), -1)
        if scores.shape[1] <= targets.max(initial=0):
            raise DataError(
                f"the model gives {scores.shape[1]} scores, a label is {targets.max()}: the images have "
                "other classes; test it on its own"
            )
        return scores.argmax(1)

    def score(self, results: Sequence[int], truths: Sequence[int]) -> float:
        """Return the share of images whose class is their label, in [0, 1]."""
        return float(np.mean(np.asarray(results) == np.asarray(truths)))

    def graphs(self, net: nn.Module, examples: Examples) -> dict[str, SourceGraph]:
        """Return the only graph: an image in, class scores out."""
        return {MAIN_GRAPH: SourceGraph.of_images(net, examples, "scores")}
