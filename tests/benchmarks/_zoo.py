"""Networks of the zoo in many widths and sizes as LiteRT files."""

from __future__ import annotations

from pathlib import Path

import torch

from edgekit.cli._output import note
from edgekit.export import EXPORT_BACKENDS, Exported, lower
from edgekit.models import ModelSpec, build_model
from edgekit.search.kernels.build import add_exported
from runtime.bundle import Bundle

# (width, image size): from light to heavy, so that each has larger and smaller neighbours of its kind.
SHAPES = {
    "mobilenet_v2": (
        (0.25, 224), (0.35, 160), (0.35, 224), (0.5, 128), (0.5, 192), (0.5, 224), (0.75, 160), (0.75, 224),
        (1.0, 96), (1.0, 128), (1.0, 160), (1.0, 192), (1.0, 224),
    ),
    "mobilenet_v3_large": (
        (0.5, 160), (0.5, 224), (0.75, 128), (0.75, 192), (1.0, 128), (1.0, 160), (1.0, 224),
    ),
    "mobilenet_v3_small": ((0.5, 224), (0.75, 160), (0.75, 224), (1.0, 128), (1.0, 192), (1.0, 224)),
    "efficientnet_lite0": ((0.5, 224), (0.75, 160), (0.75, 224), (1.0, 128), (1.0, 160), (1.0, 224)),
    "efficientnet_lite1": ((0.5, 240), (1.0, 160), (1.0, 240)),
    "efficientnet_lite2": ((0.5, 224), (1.0, 192)),
    "resnet18": ((0.25, 128), (0.25, 224), (0.5, 112), (0.5, 160), (0.5, 224), (1.0, 96), (1.0, 128)),
    "resnet20": ((1.0, 32), (2.0, 32), (1.0, 64), (2.0, 64)),
    "resnet56": ((0.5, 32), (1.0, 32), (1.0, 64)),
}  # fmt: skip


def zoo() -> dict[str, ModelSpec]:
    """Return the specs by a name such as ``mobilenet_v2-0.5-224``."""
    return {
        f"{name}-{width:g}-{size}": ModelSpec(name, width=width, image_size=size)
        for name, shapes in SHAPES.items()
        for width, size in shapes
    }


def family_of(name: str) -> str:
    """Return the family of a network called as ``zoo`` calls it."""
    return name.split("-")[0].rstrip("0123456789")


def export_zoo(path: Path, names: list[str]) -> Bundle:
    """Return ``names`` as variants of the bundle at ``path``; what is there is not exported again."""
    specs = zoo()
    bundle = Bundle.open(path) if path.exists() else None
    for name in names:
        if bundle is None or name not in {variant.name for variant in bundle.manifest.variants}:
            note(f"exporting {name}")
            spec = specs[name]
            shape = (1, spec.in_channels, spec.image_size, spec.image_size)
            bundle = add_exported(path, bundle, "litert", name, _export(spec), [shape])
    assert bundle is not None
    return bundle


def _export(spec: ModelSpec) -> Exported:
    torch.manual_seed(0)
    model = build_model(spec).train()
    example = torch.randn(4, spec.in_channels, spec.image_size, spec.image_size)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the plain mean of all batches
    with torch.no_grad():
        model(example)  # else random weights fade to denormal numbers, which are slow
    return EXPORT_BACKENDS.get("litert")(lower(model.eval()), (example[:1],))
