"""The list of models with what each costs."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.models.cost import model_cost
from edgekit.models.imagenet import WEIGHTS
from edgekit.models.spec import MODELS, ModelSpec


@dataclass(frozen=True)
class ModelInfo:
    """A model at full width, with the image size and number of classes it was designed for."""

    name: str
    image_size: int
    num_classes: int
    params: int
    macs: int
    is_pretrained: bool


def describe_models(pattern: str = "*") -> list[ModelInfo]:
    """Return what the models whose names match a shell ``pattern`` cost, sorted by name.

    Raises:
        ValueError: no model matches.
    """
    return [_describe(name) for name in MODELS.matching(pattern)]


def _describe(name: str) -> ModelInfo:
    entry = MODELS.get(name)
    cost = model_cost(ModelSpec(name, num_classes=entry.num_classes, image_size=entry.image_size))
    return ModelInfo(name, entry.image_size, entry.num_classes, cost.params, cost.macs, name in WEIGHTS)
