"""Networks of the zoo in many widths and sizes as LiteRT files, and what they take on this machine."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import torch

from edgekit.cli._output import note
from edgekit.export import EXPORT_BACKENDS, lower
from edgekit.models import ModelSpec, build_model
from runtime.bundle import Bundle, write_atomic
from runtime.device.setting import Setting
from runtime.engines.model_file import open_bundle_or_model
from runtime.measure.bench import bench
from runtime.measure.profiling.profile import Profile, profile
from runtime.measure.records import Record, RecordLog
from runtime.targets import Target, open_target

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


def export_zoo(folder: Path, names: list[str]) -> dict[str, Bundle]:
    """Return ``names`` as model files in ``folder``; what is there is not exported again."""
    specs = zoo()
    for name in names:
        path = folder / f"{name}.tflite"
        if not path.is_file():
            note(f"exporting {name}")
            write_atomic(path, _export(specs[name]))
    return {name: open_bundle_or_model(folder / f"{name}.tflite") for name in names}


def setting_of(target: Target) -> Setting:
    """Return where networks are timed: one thread of the last cluster at its highest clock."""
    cluster = target.profile.clusters[-1].name
    return [setting for setting in target.settings() if setting.cluster == cluster][-1]


def bench_zoo(bundles: dict[str, Bundle], folder: Path, blocks: int, runs: int) -> dict[str, list[Record]]:
    """Return the records of all networks on one thread; each block visits all, in an order of its own."""
    target = open_target("local")
    setting = setting_of(target)
    found: dict[str, list[Record]] = {}
    for block in range(blocks):
        visit = list(bundles)
        random.Random(block).shuffle(visit)
        for place, name in enumerate(visit, 1):
            log = RecordLog(folder / f"{name}.jsonl")
            found[name] = bench(
                bundles[name], target, settings=[setting], runs=runs, blocks=block + 1, retries=1, log=log
            )
            note(f"block {block + 1} of {blocks}, {place} of {len(visit)}: {name}")
    return found


def profile_zoo(bundles: dict[str, Bundle], folder: Path, runs: int) -> dict[str, Profile]:
    """Return each network's time op by op; what is in ``folder`` is not measured again."""
    found = {}
    for name, bundle in bundles.items():
        path = folder / f"{name}.profile.json"
        if not path.is_file():
            note(f"profiling {name}")
            write_atomic(path, msgspec.json.encode(profile(bundle, runs=runs)))
        found[name] = msgspec.json.decode(path.read_bytes(), type=Profile)
    return found


def _export(spec: ModelSpec) -> bytes:
    torch.manual_seed(0)
    model = build_model(spec).train()
    example = torch.randn(4, spec.in_channels, spec.image_size, spec.image_size)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the plain mean of all batches
    with torch.no_grad():
        model(example)  # else random weights fade to denormal numbers, which are slow
    return EXPORT_BACKENDS.get("litert")(lower(model.eval()), (example[:1],)).data
