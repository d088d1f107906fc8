"""Light models by name, built from a ``ModelSpec``, some with ImageNet weights."""

from edgekit.models import efficientnet_lite, mobilenet_v2, mobilenet_v3, resnet  # noqa: F401 (they register)
from edgekit.models.build import build_model
from edgekit.models.catalogue import ModelInfo, describe_models
from edgekit.models.cost import ModelCost, count_macs, count_parameters, model_cost
from edgekit.models.imagenet import WEIGHTS, Pretrained, imagenet_labels, pretrained
from edgekit.models.placement import Site, find_sites, resolve, static_of
from edgekit.models.spec import MODELS, NO_MODEL, ModelEntry, ModelSpec, list_models
from edgekit.models.taps import Backbone
from edgekit.models.user_model import pin

__all__ = [
    "MODELS",
    "NO_MODEL",
    "WEIGHTS",
    "Backbone",
    "ModelCost",
    "ModelEntry",
    "ModelInfo",
    "ModelSpec",
    "Pretrained",
    "Site",
    "build_model",
    "count_macs",
    "count_parameters",
    "describe_models",
    "find_sites",
    "imagenet_labels",
    "list_models",
    "model_cost",
    "pin",
    "pretrained",
    "resolve",
    "static_of",
]
