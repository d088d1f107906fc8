"""Backbones: a model of the zoo without its classifier, which gives its maps by their stride.

A network has taps when it has a method ``trunk()`` that returns the modules which run one after the other
up to its last map; every model of the zoo has it, and a network of the user may. They keep their names, so
published weights, placement, pruning plans and quantisation-aware training find them below a head, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edgekit.models.build import build_model
from edgekit.models.spec import ModelSpec

STRIDES = (4, 8, 16, 32)
_TAIL = ("head", "classifier")  # behind the trunk


class Backbone(nn.Module):
    """The trunk of a model; returns its last map at each of the ``strides`` that it has.

    A model for small images keeps its resolution longer, see ``layers.strides_for``, and so has no map at
    the largest strides.

    Args:
        spec: of the model; its number of classes does not matter.
        strides: the wanted ones; those that the model lacks are left out.

    Attributes:
        spec: of the model.
        net: the model without classifier.
        channels: of each map, by stride, ascending.

    Raises:
        ValueError: the model has no ``trunk()``, or a map at none of the strides.

    Example:
        >>> backbone = Backbone(ModelSpec("mobilenet_v2", width=0.35, image_size=64))
        >>> backbone.channels
        {4: 8, 8: 16, 16: 112}
    """

    def __init__(self, spec: ModelSpec, strides: Sequence[int] = STRIDES):
        super().__init__()
        self.spec, self.net = spec, build_model(spec)
        if not hasattr(self.net, "trunk"):
            raise ValueError(
                f"{spec.label} has no method trunk(), which tells the layers up to its last map; choose a "
                "model of `edgekit models`, or add trunk() to yours"
            )
        for name in _TAIL:
            if hasattr(self.net, name):
                delattr(self.net, name)
        self._taken, self.channels = _last_of_each(self.net, spec, strides)
        if not self._taken:
            raise ValueError(
                f"{spec.label} for {spec.image_size} pixels has no map at stride "
                f"{', '.join(map(str, strides))}; ask for others, or build it for larger images"
            )

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """Return the maps by stride: (B, C, H, W) -> {S: (B, C_S, H / S, W / S)}."""
        maps: dict[int, Tensor] = {}
        for place, layer in enumerate(self.net.trunk()):
            x = layer(x)
            if place in self._taken:
                maps[self._taken[place]] = x
        return maps


def _last_of_each(
    net: nn.Module, spec: ModelSpec, strides: Sequence[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Return the stride of each layer of the trunk that is tapped, and the channels by stride."""
    was_training = net.training
    x = torch.zeros(1, spec.in_channels, spec.image_size, spec.image_size)
    last: dict[int, tuple[int, int]] = {}
    with torch.no_grad():
        net.eval()
        for place, layer in enumerate(net.trunk()):
            x = layer(x)
            last[round(spec.image_size / x.shape[-1])] = (place, x.shape[1])
    net.train(was_training)
    found = {stride: last[stride] for stride in sorted(strides) if stride in last}
    return {place: stride for stride, (place, _) in found.items()}, {
        stride: channels for stride, (_, channels) in found.items()
    }
