"""Light models by name, built from a ``ModelSpec``."""

from edgekit.models import mobilenet_v2
from edgekit.models.registry import MODELS, ModelEntry, list_models
from edgekit.models.spec import ModelSpec, build_model

__all__ = ["MODELS", "ModelEntry", "ModelSpec", "build_model", "list_models", "mobilenet_v2"]
