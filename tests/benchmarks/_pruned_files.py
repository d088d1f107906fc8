"""Size and latency of checkpoints' exported files, side by side; networks of one shape are exported once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from edgekit.cli._output import note
from edgekit.export import EXPORT_BACKENDS, export_bundle, find_origin
from edgekit.training import load_checkpoint
from runtime.bundle import Bundle
from tests.benchmarks.export_latency import time_side_by_side


def measure_files(
    checkpoints: Mapping[str, Path], folder: Path, data_root: str, rounds: int = 10
) -> dict[str, dict[str, float]]:
    """Return, by name, ``kb_ENGINE``, ``ms_ENGINE`` and ``ratio_ENGINE`` (of latency, to the first one's).

    Args:
        folder: keeps the exported bundles; made where it is missing.
        data_root: of the dataset that they were trained on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {name: _shape(path) for name, path in checkpoints.items()}
    bundles: dict[str, Bundle] = {}
    for name, shape in shapes.items():
        if shape not in bundles:
            bundles[shape] = _exported(checkpoints[name], data_root, folder / f"{len(bundles)}.edgekit")
    found: dict[str, dict[str, float]] = {name: {} for name in checkpoints}
    for engine in EXPORT_BACKENDS:
        files = {shape: (_file(bundle, engine), 0.0) for shape, bundle in bundles.items()}
        timed = time_side_by_side(engine, files, rounds)
        for name, shape in shapes.items():
            found[name] |= {
                f"kb_{engine}": files[shape][0].stat().st_size / 1e3,
                f"ms_{engine}": timed[shape]["latency_ms"],
                f"ratio_{engine}": timed[shape]["ratio"],
            }
    return found


def _shape(checkpoint: Path) -> str:
    tensors = load_checkpoint(checkpoint).build().state_dict()
    return msgspec.json.encode({name: tuple(tensor.shape) for name, tensor in tensors.items()}).decode()


def _exported(checkpoint: Path, data_root: str, out: Path) -> Bundle:
    origin, engines = find_origin(str(checkpoint), data_root=data_root), list(EXPORT_BACKENDS)
    return export_bundle(origin, out, engines=engines, overwrite=True, progress=note)


def _file(bundle: Bundle, engine: str) -> Path:
    return next(bundle.file(v.path) for v in bundle.manifest.variants if v.engine == engine)
