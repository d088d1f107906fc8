"""UOut for dropout: see ``edgekit.nn.uout`` (1801.05134), and ``edgekit.training.variance_shift``."""

from __future__ import annotations

from torch import nn

from edgekit.nn import UOut
from edgekit.training.technique import Technique, register_technique
from edgekit.training.variance_shift import DROPOUTS
from runtime.errors import TrainingError


@register_technique("uout")
class UniformOut(Technique):
    """Puts UOut in the place of every dropout while the network trains; what is kept is the same network.

    Args:
        beta: half the width of the noise.

    Raises:
        ValueError: ``beta`` is negative.
    """

    def __init__(self, beta: float = 0.1):
        self.beta = UOut(beta).beta
        self.places: dict[str, nn.Module] = {}

    def network(self, model: nn.Module) -> nn.Module:
        self.places = {name: part for name, part in model.named_modules() if isinstance(part, DROPOUTS)}
        if not self.places:
            raise TrainingError("uout: the network has no dropout to put it in the place of; leave uout out")
        for name in self.places:
            model.set_submodule(name, UOut(self.beta))
        return model

    def trained(self, network: nn.Module) -> nn.Module:
        for name, dropout in self.places.items():
            network.set_submodule(name, dropout.train(network.training))
        return network
