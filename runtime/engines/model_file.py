"""A bare model file, seen as a bundle of one variant that is never written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from runtime.bundle import Bundle, FileEntry, Graph, Manifest, Variant
from runtime.bundle.workload import Workload
from runtime.engines import EngineProcess
from runtime.engines.tflite_delegation import read_delegation
from runtime.engines.tflite_graph import TfliteGraph, read_tflite
from runtime.errors import BundleError

ENGINE_OF = {".tflite": "litert", ".pte": "executorch"}


@dataclass(frozen=True)
class ModelFile(Bundle):
    """A bundle that consists of one model file of any origin; it has no manifest on the disk."""

    graph_workload: Workload | None = None

    def workload(self, variant: Variant) -> Workload | None:
        return self.graph_workload


def open_bundle_or_model(path: str | Path) -> Bundle:
    """Open a bundle, or wrap a ``.tflite`` or ``.pte`` file as one.

    What a ``.tflite`` costs per op is read from the file; a ``.pte`` does not say, so it cannot
    be played on a virtual target. Nor does a ``.tflite`` where only ``tflite_runtime`` is installed.

    Raises:
        BundleError: neither a bundle nor a model file, or a damaged one.
        DeviceStableError: the engine cannot load the file.
        MissingExtra: the package that reads the file is not installed.
    """
    path = Path(path)
    if path.is_dir():
        return Bundle.open(path)
    engine = ENGINE_OF.get(path.suffix)
    if engine is None:
        allowed = "a .edgekit folder, a .tflite or a .pte file"
        raise BundleError(f"{path} is not something to run; give {allowed} (make one: edgekit export)")
    if not path.is_file():
        raise BundleError(
            f"there is no model file at {path}; give a .edgekit folder, a .tflite or a .pte file"
        )
    workload = None
    if engine == "litert" and not _is_old_litert():
        tflite = read_tflite(path)
        graph, workload, precision = Graph(tflite.inputs, tflite.outputs), tflite.workload, _precision(tflite)
    else:
        with EngineProcess(engine, path) as model:
            graph = Graph(model.inputs, model.outputs)
            precision = model.plan().precision if engine == "litert" else "fp32"
    data = path.read_bytes()
    manifest = Manifest(
        name=path.name,
        created_utc="",  # a model file does not say when it was made
        graphs={"forward": graph},
        variants=(Variant(f"{engine}-{precision}", engine, precision, path.name),),
        files=(FileEntry(path.name, hashlib.sha256(data).hexdigest(), len(data), "model"),),
        source={"file": path.name},
    )
    return ModelFile(path.parent, manifest, workload)


def with_delegation(bundle: Bundle) -> Bundle:
    """Return ``bundle``; if it is a bare ``.tflite``, with what this machine's delegate takes and leaves.

    Raises:
        DeviceError: LiteRT cannot load the file, or dies of it.
    """
    (variant, *_) = bundle.manifest.variants
    if not isinstance(bundle, ModelFile) or variant.engine != "litert":
        return bundle
    known = replace(variant, delegation=read_delegation(bundle.file(variant.path)))
    return replace(bundle, manifest=replace(bundle.manifest, variants=(known,)))


def _is_old_litert() -> bool:
    """Return whether only ``tflite_runtime`` is installed, which lacks the schema to read a file with."""
    return find_spec("ai_edge_litert") is None and find_spec("tflite_runtime") is not None


def _precision(graph: TfliteGraph) -> str:
    """Derive the precision from what the file holds; it is not written in it.

    Bytes in and out, or ops that make bytes: static. Else about one byte per weight: dynamic.
    float16 weights are widened when the file is loaded: they count as fp32.
    """
    if "QUANTIZE" in graph.op_counts or any(spec.dtype in ("int8", "uint8") for spec in graph.inputs):
        return "static_wi8_ai8"
    is_sparse = "DENSIFY" in graph.op_counts  # fewer bytes than weights for another reason
    return "dynamic_wi8_afp32" if graph.size_bytes < 1.5 * graph.parameters and not is_sparse else "fp32"
