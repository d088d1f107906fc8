"""A task as a third party would write it: where on a picture is the bright half?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from edgekit.data import Dataset, Split
from edgekit.models import Backbone, ModelSpec
from edgekit.tasks import Batch, Net, Task
from runtime.bundle import Flow, FlowGraph, TaskSpec
from runtime.bundle.prestep import Whole
from runtime.bundle.result import Mask


class InkNet(nn.Module):
    def __init__(self, spec: ModelSpec, stride: int):
        super().__init__()
        self.backbone = Backbone(spec, [stride])
        self.stride = stride
        self.classes = nn.Conv2d(self.backbone.channels[stride], spec.num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.backbone(x)[self.stride])


@dataclass(frozen=True)
class Ink(Task):
    name: ClassVar[str] = "ink"
    metric: ClassVar[str] = "miou"
    stride: int = 2

    def build(self, spec: ModelSpec) -> nn.Module:
        return InkNet(spec, self.stride)

    def losses(self, net: Net, batch: Batch) -> Mapping[str, Tensor]:
        scores = F.interpolate(net(batch.inputs), size=batch.targets.shape[1:], mode="bilinear")
        return {"pixels": F.cross_entropy(scores, batch.targets), "small": scores.square().mean() * 1e-4}

    def decode(self, outputs: Sequence[np.ndarray], targets: Any) -> np.ndarray:
        scale = targets.shape[1] // outputs[0].shape[2]
        return outputs[0].argmax(1).repeat(scale, 1).repeat(scale, 2)

    def score(self, results: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> float:
        found, true = np.stack(list(results)), np.stack(list(truths))
        places = [(found == k, true == k) for k in np.unique(true)]
        return float(np.mean([(ours & theirs).sum() / (ours | theirs).sum() for ours, theirs in places]))

    def result(self, labels: tuple[str, ...]) -> TaskSpec:
        flow = Flow((FlowGraph("forward", inputs={"image": "pre:image"}),), pre=Whole())
        return TaskSpec(self.name, flow, Mask("forward.output", labels, background=None), self.metric)


def masked(dataset: Dataset) -> Dataset:
    """Return ``dataset`` of a bright half above or below with masks in place of labels."""

    def split(one: Split) -> Split:
        masks = np.zeros((len(one), 8, 8), np.uint8)
        for mask, label in zip(masks, one.labels, strict=True):
            mask[4 * label : 4 * label + 4] = 1
        return Split(one.images, masks, one.image)

    parts = {"train": split(dataset.train), "test": split(dataset.test)}
    return replace(dataset, name="ink-toy", labels=["dark", "bright"], **parts)
