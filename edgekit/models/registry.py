"""The models by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.registry import Registry

if TYPE_CHECKING:
    from torch import nn

    from edgekit.models.spec import ModelSpec


@dataclass(frozen=True)
class ModelEntry:
    """How to build a model, and the image size and number of classes it was designed for."""

    build: Callable[[ModelSpec], nn.Module]
    image_size: int = 224
    num_classes: int = 1000


MODELS: Registry[ModelEntry] = Registry("model")


def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the models that match a shell ``pattern``, sorted.

    Example:
        >>> list_models("mobilenet_v3*")
        ['mobilenet_v3_large', 'mobilenet_v3_small']
    """
    return MODELS.names(pattern)
