"""One-shot pruning by torch-pruning's measures of importance, as peers of our own methods.

Each is a class of ``torch_pruning.importance``, asked about whole groups: what makes a channel and
what reads it. With epochs, after training on for them.

- ``magnitude``: L2 norms of a group's weights (DepGraph, https://arxiv.org/abs/2301.12900)
- ``fpgm``: distance from the group's other filters (1811.00250)
- ``lamp``: squares by the sum of those that are not smaller (2010.07611); groups compete
- ``bn-scale``: batch norm's scales (Network Slimming, 1708.06519)
- ``taylor``: |weight * gradient| on training images (1906.10771)

A dynamic convolution counts by the norm over its kernels, for ``taylor`` by their sum of products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch_pruning as tp
from torch import nn

from edgekit.models.surgery.groups import ChannelGraph, ChannelGroup
from edgekit.nn import DynamicConv2d
from edgekit.pruning.method import METHODS, Allocation, PruningMethod, Scores, generator_of
from edgekit.tasks import total
from edgekit.training.hooks import Training
from edgekit.training.loader import tensors_of
from runtime.errors import PruneError

TAYLOR_IMAGES = 512
_BATCH = 64


class ImportancePruning(PruningMethod):
    """Chooses by ``measure`` at the end."""

    decides_at_end = True
    epochs = 0
    measure: Callable[[], tp.importance.Importance]

    def scores(self, run: Training) -> Scores:
        example = torch.from_numpy(run.dataset.train.batch([0])[0]).to(run.device)
        graph = ChannelGraph(run.model, example)
        self.look(graph.shadow, run)
        measure = self.measure()
        found = {group.name: graph.importance(group.name, measure) for group in self.groups}
        missing = [name for name, scores in found.items() if scores is None]
        if missing:
            raise PruneError(
                f"{missing[0]} has nothing that {type(measure).__name__} measures; choose another"
            )
        return found

    def look(self, shadow: nn.Module, run: Training) -> None:
        """Prepare the copy of the network whose groups are measured."""


def _peer(name: str, measure: Callable[[], tp.importance.Importance], share: str = "uniform") -> None:
    kind = type(name, (ImportancePruning,), {"measure": staticmethod(measure), "share": share})
    METHODS.register(name)(kind)


_peer("magnitude", tp.importance.GroupMagnitudeImportance)
_peer("fpgm", tp.importance.FPGMImportance)
_peer("lamp", tp.importance.LAMPImportance, share="global")
_peer("bn-scale", tp.importance.BNScaleImportance)


@METHODS.register("taylor")
class TaylorPruning(ImportancePruning):
    """First-order Taylor expansion of the loss.

    Args:
        images: of the training split whose gradients are summed, drawn by the recipe's seed.
    """

    measure = tp.importance.GroupTaylorImportance

    def __init__(self, groups: Sequence[ChannelGroup], allocation: Allocation, images: int = TAYLOR_IMAGES):
        super().__init__(groups, allocation)
        if images < 1:
            raise ValueError(f"images is {images}; it must be at least 1")
        self.images = images

    def look(self, shadow: nn.Module, run: Training) -> None:
        gradients = loss_gradients(run, self.images)
        parameters = dict(shadow.named_parameters())
        for name, layer in run.model.named_modules():
            if isinstance(layer, DynamicConv2d):
                plain = parameters[f"{name}.weight"]
                product = (layer.weight * gradients[f"{name}.weight"]).abs().sum(0)
                plain.data, plain.grad = product, torch.ones_like(product)
        for name, parameter in parameters.items():
            if parameter.grad is None:
                parameter.grad = gradients.get(name, torch.zeros_like(parameter))


def loss_gradients(run: Training, images: int) -> dict[str, torch.Tensor]:
    """Return the gradient of the loss over ``images`` training images for each parameter of the model."""
    split = run.dataset.train
    chosen = torch.randperm(len(split), generator=generator_of(run))[:images].numpy()
    model, was_training = run.model, run.model.training
    model.eval()
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    sums = {name: torch.zeros_like(p) for name, p in parameters.items()}
    with torch.enable_grad():
        for start in range(0, len(chosen), _BATCH):
            part = chosen[start : start + _BATCH]
            loss = total(run.task.losses(model, tensors_of(split, part, run.device))) * len(part)
            found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
            for name, gradient in zip(parameters, found, strict=True):
                if gradient is not None:
                    sums[name] += gradient
    model.train(was_training)
    return sums
