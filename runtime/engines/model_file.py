"""A bare model file, seen as a bundle of one variant that is never written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from runtime.bundle import Bundle, FileEntry, Graph, Manifest, Variant
from runtime.bundle.staging import staged_until_exit
from runtime.bundle.workload import Workload
from runtime.engines import EngineProcess
from runtime.engines.tflite_delegation import read_delegation
from runtime.engines.tflite_graph import TfliteGraph, read_tflite
from runtime.engines.tflite_shapes import (
    InputShapes,
    choose_shapes,
    fix_shapes,
    missing_shapes,
    shown_shape,
)
from runtime.errors import BundleError

FP16_WEIGHTS = "fp16 weights, widened to fp32 when the file is loaded"
ENGINE_OF = {".tflite": "litert", ".pte": "executorch"}


@dataclass(frozen=True)
class ModelFile(Bundle):
    """A bundle that consists of one model file of any origin; it has no manifest on the disk.

    Attributes:
        graph_workload: what one frame costs; ``None`` where the file does not say.
        has_fp16_weights: most weights are stored as float16.
        open_axes: axes of inputs and outputs whose size the file leaves open, by name.
        unknown_shapes: what to say where it is run although the shape of an input is unknown.
        fixed: a copy of the file with the input shapes that were chosen.
        signatures: names of the file's signatures.
    """

    graph_workload: Workload | None = None
    has_fp16_weights: bool = False
    open_axes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    unknown_shapes: str | None = None
    fixed: Path | None = None
    signatures: tuple[str, ...] = ()

    def file(self, relative: str) -> Path:
        """Return the path of the file that runs.

        Raises:
            BundleError: it cannot run before the shapes of its inputs are known.
        """
        if self.unknown_shapes is not None:
            raise BundleError(self.unknown_shapes)
        return self.fixed or super().file(relative)

    def workload(self, variant: Variant) -> Workload | None:
        return self.graph_workload


def open_bundle_or_model(path: str | Path, input_shapes: InputShapes = ()) -> Bundle:
    """Open a bundle, or wrap a ``.tflite`` or ``.pte`` file as one.

    What a ``.tflite`` costs per op is read from the file; a ``.pte`` does not say, so it cannot
    be played on a virtual target. Nor does a ``.tflite`` where only ``tflite_runtime`` is installed.

    Args:
        path: the bundle or file.
        input_shapes: of the inputs of a ``.tflite`` whose shape the file leaves open.

    Raises:
        ValueError: ``input_shapes`` that do not fit the file.
        BundleError: neither a bundle nor a model file, or a damaged one.
        DeviceStableError: the engine cannot load the file.
        MissingExtra: the package that reads the file is not installed.
    """
    path = Path(path)
    if path.is_dir():
        _refuse_shapes(path, input_shapes)
        return Bundle.open(path)
    engine = ENGINE_OF.get(path.suffix)
    if engine is None:
        allowed = "a .edgekit folder, a .tflite or a .pte file"
        raise BundleError(f"{path} is not something to run; give {allowed} (make one: edgekit export)")
    if not path.is_file():
        raise BundleError(
            f"there is no model file at {path}; give a .edgekit folder, a .tflite or a .pte file"
        )
    if engine == "litert" and not _is_old_litert():
        return _open_tflite(path, input_shapes)
    _refuse_shapes(path, input_shapes)
    with EngineProcess(engine, path) as model:
        graph = Graph(model.inputs, model.outputs)
        precision = model.plan().precision if engine == "litert" else "fp32"
    return ModelFile(path.parent, _manifest(path, path, engine, precision, graph))


def _open_tflite(path: Path, input_shapes: InputShapes) -> ModelFile:
    tflite = read_tflite(path)
    shapes = choose_shapes(tflite, input_shapes, path.name)
    unknown = missing_shapes(tflite, shapes, path.name)
    open_axes, fixed = tflite.open_axes, None
    if open_axes and unknown is None:
        fixed = staged_until_exit() / path.name
        fix_shapes(path, shapes, fixed)
        tflite, open_axes = read_tflite(fixed), {}
    source = {"weights": FP16_WEIGHTS} if tflite.has_fp16_weights else {}
    if fixed is not None:
        source["input shapes"] = ", ".join(f"{s.name} {shown_shape(s, ())}" for s in tflite.inputs)
    graph = Graph(tflite.inputs, tflite.outputs)
    manifest = _manifest(path, fixed or path, "litert", _precision(tflite), graph, source)
    return ModelFile(
        path.parent,
        manifest,
        graph_workload=None if unknown else tflite.workload,
        has_fp16_weights=tflite.has_fp16_weights,
        open_axes=open_axes,
        unknown_shapes=unknown,
        fixed=fixed,
        signatures=tuple(one.key for one in tflite.signatures),
    )


def _manifest(
    path: Path,
    runs: Path,
    engine: str,
    precision: str,
    graph: Graph,
    source: Mapping[str, str] | None = None,
) -> Manifest:
    data = runs.read_bytes()  # other shapes are another model, also to records
    return Manifest(
        name=path.name,
        created_utc="",  # a model file does not say when it was made
        graphs={"forward": graph},
        variants=(Variant(f"{engine}-{precision}", engine, precision, path.name),),
        files=(FileEntry(path.name, hashlib.sha256(data).hexdigest(), len(data), "model"),),
        source={"file": path.name, **(source or {})},
    )


def _refuse_shapes(path: Path, input_shapes: InputShapes) -> None:
    if input_shapes:
        raise ValueError(
            f"{path.name} got input shapes, which only a .tflite file that leaves them open takes; leave "
            "--input-shape out"
        )


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
