"""Face parsing: which part of a face each pixel is, seen through a warp that keeps the whole picture.

Paper: Lin et al., "Face Parsing with RoI Tanh-Warping", CVPR 2019, https://arxiv.org/abs/1906.01342. Ours has
one network of static shape, with heads of regions and of components (which the paper cuts out by boxes of
their own) on the finest map of a light pyramid. The warp and its inverse run on the device outside of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgekit.data import Dataset
from edgekit.data.faces import FACE_CLASSES, FACE_COLOURS, FaceDataset
from edgekit.models import Backbone, ModelSpec
from edgekit.nn.pyramid import Pyramid, resized, separable
from edgekit.tasks.graph import Examples, SourceGraph
from edgekit.tasks.task import TASKS, Batch, Net, Task
from runtime.bundle import MAIN_GRAPH
from runtime.bundle.flow import Flow, FlowGraph
from runtime.bundle.prestep import BoxCrop, PreStep, TanhWarp, Whole
from runtime.bundle.result import Mask
from runtime.bundle.task import TaskSpec
from runtime.errors import DataError
from runtime.processing.sampling import sample_nearest

_REGIONS = 3  # background, skin, hair come first in FACE_CLASSES; the rest are components
_SKIN = 1
_FACE = (_SKIN, *range(_REGIONS, len(FACE_CLASSES)))  # skin and what lies on it
_FINEST = 2  # stride
# 0 counts pixels of the input, 1 those of the picture. At 1 the input's edges outweigh all else.
_AREA_POWER = 0.3
_ROOMY = 96  # pixels, a multiple of all strides
_NO_FACE = -100
_SCORES = "scores"
ROIS = ("tanh", "crop", "whole")


class ParsingNet(nn.Module):
    """A backbone's maps, a pyramid on them, and two heads: of regions and of components.

    Args:
        spec: of the backbone.
        channels: of the pyramid's maps.
    """

    def __init__(self, spec: ModelSpec, channels: int):
        super().__init__()
        # Up to 64 pixels a backbone keeps its resolution, see layers.strides_for. Here the pyramid brings it
        # back, so the one for larger images does at a quarter of the work.
        roomy = replace(spec, image_size=max(spec.image_size, _ROOMY))
        self.backbone = Backbone(roomy, strides=(_FINEST, 4, 8, 16, 32))
        self.pyramid = Pyramid(list(self.backbone.channels.values()), channels)
        self.regions = nn.Sequential(separable(channels, channels), nn.Conv2d(channels, _REGIONS, 1))
        components = len(FACE_CLASSES) - _REGIONS
        self.components = nn.Sequential(separable(channels, channels), nn.Conv2d(channels, components, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the classes' scores of each pixel: (B, C, H, W) -> (B, len(FACE_CLASSES), H, W)."""
        finest, *_ = self.pyramid(list(self.backbone(x).values()))
        return resized(torch.cat([self.regions(finest), self.components(finest)], dim=1), x)


@TASKS.register("face-parsing")
@dataclass(frozen=True)
class FaceParsing(Task):
    """The class of each pixel of a picture with a face, whose box is known.

    Targets have the fields that ``edgekit.data.faces.faces_dataset`` tells.

    Attributes:
        channels: of the pyramid's maps.
        roi: how the network sees a picture: ``tanh``: all of it, warped so that the box takes three quarters;
            ``crop``: the box, grown by ``margin``; ``whole``: all of it, the box unused.
        margin: of a crop.

    Raises:
        ValueError: another ``roi``, no channels, or a margin that is none.
    """

    name: ClassVar[str] = "face-parsing"
    metric: ClassVar[str] = "miou"
    takes: ClassVar[str] = "a picture and a box"
    gives: ClassVar[str] = "a mask"
    paper: ClassVar[str] = "https://arxiv.org/abs/1906.01342"
    data: ClassVar[str] = "faces, toy-faces"
    minutes: ClassVar[float | None] = 0.4  # ResNet-18 x 0.25 on faces of 64 px that are drawn, 4 epochs
    channels: int = 32
    roi: str = "tanh"
    margin: float = 2.0

    def __post_init__(self) -> None:
        if self.roi not in ROIS:
            raise ValueError(f"roi is {self.roi!r}; choose {', '.join(ROIS)}")
        if self.channels < 1:
            raise ValueError(f"channels is {self.channels}; it must be at least 1")
        BoxCrop(margin=self.margin)  # refuses a wrong one

    @property
    def pre(self) -> PreStep:
        """How a picture becomes the network's input."""
        return {"tanh": TanhWarp(), "crop": BoxCrop(margin=self.margin), "whole": Whole()}[self.roi]

    def view(self, dataset: Dataset) -> Dataset:
        """Return the portraits of ``dataset`` seen as ``roi`` says.

        Raises:
            DataError: it has none.
        """
        if not isinstance(dataset, FaceDataset):
            raise DataError(
                f"{dataset.name!r} does not tell the box and the parts of a face on each picture, which "
                f"{self.name} learns from; train it on faces or toy-faces"
            )
        return dataset.through(self.pre)

    def build(self, spec: ModelSpec) -> nn.Module:
        """Return a backbone with a pyramid and two heads."""
        return ParsingNet(spec, self.channels)

    def losses(self, net: Net, batch: Batch) -> Mapping[str, Tensor]:
        """Return two cross-entropies: of background, face, hair everywhere; of what is seen within faces.

        Their sum, each over the same pixels, would be that of all classes; but the few pixels of faces have
        a mean of their own, and so weigh as much as the rest. Everywhere a pixel weighs more that covers more
        of the picture: far from the face, where hair ends, one of a warp covers hundreds.
        """
        scores, labels = net(batch.inputs), batch.targets["labels"].long()
        heights, widths = batch.targets["heights"], batch.targets["widths"]
        weights = (heights[:, :, None] * widths[:, None, :]) ** _AREA_POWER  # (B, H, W)
        is_component = labels >= _REGIONS
        face = scores[:, list(_FACE)]
        regions = torch.stack([scores[:, 0], face.logsumexp(1), scores[:, 2]], dim=1)  # (B, 3, H, W)
        within = torch.where(is_component, labels - _REGIONS + 1, torch.where(labels == _SKIN, 0, _NO_FACE))
        seen = (within != _NO_FACE).sum().clamp(min=1)
        errors = F.cross_entropy(regions, labels.masked_fill(is_component, _SKIN), reduction="none")
        return {
            "regions": (weights * errors).sum() / weights.sum(),
            "components": F.cross_entropy(face, within, ignore_index=_NO_FACE, reduction="sum") / seen,
        }

    def decode(self, outputs: Sequence[np.ndarray], targets: np.ndarray) -> list[np.ndarray]:
        """Return the class of each pixel of the pictures, uint8, shape (H, W) each."""
        return [
            sample_nearest(scores.argmax(0).astype(np.uint8), target["rows"], target["columns"], outside=0)
            for scores, target in zip(outputs[0], targets, strict=True)
        ]

    def score(self, results: Sequence[np.ndarray], truths: Sequence[Any]) -> float:
        """Return the mean over the classes of intersection over union, of all pictures together."""
        return float(class_ious(results, [truth["truth"] for truth in truths]).mean())

    def graphs(self, net: nn.Module, examples: Examples) -> dict[str, SourceGraph]:
        """Return the only graph: a warped picture in, scores of each of its pixels out."""
        return {MAIN_GRAPH: SourceGraph.of_images(net, examples, _SCORES)}

    def result(self, labels: Sequence[str] = ()) -> TaskSpec:
        """Return the flow from a picture and a box to a mask over the picture; its classes are ours."""
        flow = Flow((FlowGraph(MAIN_GRAPH, inputs={"image": "pre:image"}),), pre=self.pre)
        mask = Mask(f"{MAIN_GRAPH}.{_SCORES}", FACE_CLASSES, FACE_COLOURS)
        return TaskSpec(self.name, flow, mask, self.metric)


def class_ious(results: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> np.ndarray:
    """Return the intersection over union of each of ``FACE_CLASSES``, shape (classes,).

    A class that is neither there nor found counts as right.
    """
    n = len(FACE_CLASSES)
    counts = np.zeros((n, n), dtype=np.int64)
    for found, truth in zip(results, truths, strict=True):
        counts += np.bincount(truth.ravel().astype(np.int64) * n + found.ravel(), minlength=n * n).reshape(
            n, n
        )
    both = np.diag(counts)
    union = counts.sum(0) + counts.sum(1) - both
    return np.where(union > 0, both / np.maximum(union, 1), 1.0)
