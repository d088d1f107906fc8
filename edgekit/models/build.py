"""From a spec to its network."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from edgekit.models.placement import resolve, static_of
from edgekit.models.spec import MODELS, ModelSpec
from edgekit.models.user_model import build_user_model
from edgekit.nn import DynamicConv2d, DynamicReLU


def build_model(spec: ModelSpec) -> nn.Module:
    """Return the network of ``spec`` with random weights, in training mode.

    Raises:
        ValueError: ``dynamic_at`` names no layer that can be dynamic.
        ValueError, ExportError, CheckpointError: of a user's file: see ``build_user_model``.

    Example:
        >>> model = build_model(ModelSpec("mobilenet_v2", num_classes=10, width=0.35, image_size=32))
        >>> model.training
        True
    """
    if spec.is_own:
        return build_user_model(spec)
    return MODELS.get(spec.name).build(spec) if spec.dynamic_at is None else _build_placed(spec)


def _build_placed(spec: ModelSpec) -> nn.Module:
    """Return the network of ``spec``, dynamic only where ``dynamic_at`` says, in training mode.

    All other layers are the model's own, squeeze-and-excitation included. From the same seed they
    start with the weights of the static network.

    Raises:
        ValueError: ``dynamic_at`` names no layer that can be dynamic.
    """
    with torch.random.fork_rng(devices=[]):
        everywhere = MODELS.get(spec.name).build(replace(spec, dynamic_at=None))
    dynamic = {
        path: layer
        for path, layer in everywhere.named_modules()
        if isinstance(layer, DynamicConv2d | DynamicReLU)
    }
    network = MODELS.get(spec.name).build(static_of(spec))
    for path in resolve(spec.dynamic_at or (), list(dynamic)):
        network.set_submodule(path, dynamic[path], strict=True)
    return network
