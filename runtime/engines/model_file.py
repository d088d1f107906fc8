"""A bare model file, seen as a bundle of one variant that is never written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from runtime.bundle import MAIN_GRAPH, Bundle, FileEntry, Graph, Manifest, Variant
from runtime.bundle.names import slug
from runtime.bundle.staging import staged_until_exit
from runtime.bundle.workload import Workload
from runtime.engines import EngineProcess
from runtime.engines.pte_program import read_methods
from runtime.engines.tflite_content import TfliteGraph
from runtime.engines.tflite_delegation import read_delegation
from runtime.engines.tflite_graph import read_tflite
from runtime.engines.tflite_parts import write_with_main
from runtime.engines.tflite_shapes import (
    InputShapes,
    fix_shapes,
    missing_shapes,
    share_out,
    shown_shape,
)
from runtime.errors import BundleError

FP16_WEIGHTS = "fp16 weights, widened to fp32 when the file is loaded"
ENGINE_OF = {".tflite": "litert", ".pte": "executorch"}


@dataclass(frozen=True)
class ModelFile(Bundle):
    """A bundle that consists of one model file of any origin; it has no manifest on the disk.

    Attributes:
        workloads: what one frame costs, by variant; a variant is left out where the file does not say.
        remarks: what the manifest does not show.
        open_axes: axes of inputs and outputs whose size the file leaves open, by name.
        unknown_shapes: what to say where a file is run although the shape of an input is unknown, by path.
        copies: the files that run in place of others: other signatures, or input shapes that were chosen.
    """

    workloads: Mapping[str, Workload] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    open_axes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    unknown_shapes: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, Path] = field(default_factory=dict)

    def file(self, relative: str) -> Path:
        """Return the path of the file that runs.

        Raises:
            BundleError: it cannot run before the shapes of its inputs are known.
        """
        if relative in self.unknown_shapes:
            raise BundleError(self.unknown_shapes[relative])
        return self.copies.get(relative) or super().file(relative)

    def workload(self, variant: Variant) -> Workload | None:
        return self.workloads.get(variant.name)


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
    return _open_whole(path, engine)


def _open_whole(path: Path, engine: str) -> ModelFile:
    """Return a variant for each method of a file that only its engine can read."""
    found = read_methods(path) if engine == "executorch" else (MAIN_GRAPH,)
    methods = tuple(sorted(found, key=lambda name: name != MAIN_GRAPH))
    variants, graphs = dict[Variant, Path](), dict[str, Graph]()
    for method in methods:
        with EngineProcess(engine, path, graph=method) as model:
            graphs[method] = Graph(model.inputs, model.outputs)
            precision = model.plan().precision if engine == "litert" else "fp32"
        stem = "" if method == methods[0] else f"{slug(method)}-"
        variants[Variant(f"{stem}{engine}-{precision}", engine, precision, path.name, method)] = path
    source = {"methods": ", ".join(methods)} if methods != (MAIN_GRAPH,) else None
    return ModelFile(path.parent, _manifest(path.name, variants, graphs, source))


def _open_tflite(path: Path, input_shapes: InputShapes) -> ModelFile:
    """Return a variant for each signature that has a graph of its own; the first is the file's main graph."""
    files = _signature_files(path)
    graphs = {name: read_tflite(file) for name, file in files.items()}
    shapes = share_out(graphs, input_shapes, path.name)
    open_axes: dict[str, tuple[int, ...]] = {}
    runs, workloads, unknown = dict[Variant, Path](), dict[str, Workload](), dict[str, str]()
    called = [f"{one.key}({', '.join(one.inputs)})" for one in graphs[MAIN_GRAPH].signatures]
    source = {"signatures": ", ".join(called)} if called else {}
    for name, file in files.items():
        relative = path.name if name == MAIN_GRAPH else f"{slug(name)}/{path.name}"
        why = missing_shapes(graphs[name], shapes[name], path.name)
        if why is not None:
            unknown[relative] = why
        elif any(spec.name in graphs[name].open_axes for spec in graphs[name].inputs):
            file = staged_until_exit() / path.name
            fix_shapes(files[name], shapes[name], file)
            graphs[name] = read_tflite(file)
            source["input shapes"] = ", ".join(f"{s.name} {shown_shape(s, ())}" for s in graphs[name].inputs)
        open_axes |= graphs[name].open_axes
        precision = _precision(graphs[name])
        stem = "" if name == MAIN_GRAPH else f"{slug(name)}-"
        variant = Variant(f"{stem}litert-{precision}", "litert", precision, relative, name)
        runs[variant] = file
        if why is None and not graphs[name].bodies:
            workloads[variant.name] = graphs[name].workload
    if any(graph.has_fp16_weights for graph in graphs.values()):
        source["weights"] = FP16_WEIGHTS
    ends = {name: Graph(graph.inputs, graph.outputs) for name, graph in graphs.items()}
    return ModelFile(
        path.parent,
        _manifest(path.name, runs, ends, source),
        workloads=workloads,
        remarks=tuple(_remarks(path.name, graphs)),
        open_axes=open_axes,
        unknown_shapes=unknown,
        copies={variant.path: file for variant, file in runs.items() if file != path},
    )


def _signature_files(path: Path) -> dict[str, Path]:
    """Return the file itself and, by signature, a copy for each further graph that can be called."""
    main = read_tflite(path)
    others = {one.subgraph: one.key for one in reversed(main.signatures) if one.subgraph != 0}
    files = {MAIN_GRAPH: path}
    for graph, key in sorted(others.items()):
        files[key] = staged_until_exit() / path.name
        write_with_main(path, graph, files[key])
    return files


def _remarks(file: str, graphs: Mapping[str, TfliteGraph]) -> Iterator[str]:
    if any(graph.has_fp16_weights for graph in graphs.values()):
        yield f"{file}: {FP16_WEIGHTS}"
    bodies = list(dict.fromkeys(body for graph in graphs.values() for body in graph.bodies))
    if bodies:
        yield (
            f"{file}: control flow runs {', '.join(bodies)}: what a frame costs depends on its data, so only "
            "`edgekit profile` tells it"
        )


def _manifest(
    name: str,
    runs: Mapping[Variant, Path],
    graphs: Mapping[str, Graph],
    source: Mapping[str, str] | None = None,
) -> Manifest:
    """Return the manifest of a file that has none; other shapes are another model, also to records."""
    data = {variant.path: file.read_bytes() for variant, file in runs.items()}
    return Manifest(
        name=name,
        created_utc="",  # a model file does not say when it was made
        graphs=dict(graphs),
        variants=tuple(runs),
        files=tuple(
            FileEntry(path, hashlib.sha256(whole).hexdigest(), len(whole), "model")
            for path, whole in data.items()
        ),
        source={"file": name, **(source or {})},
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
    if not isinstance(bundle, ModelFile):
        return bundle
    known = tuple(
        replace(variant, delegation=read_delegation(bundle.file(variant.path)))
        if variant.engine == "litert" and variant.path not in bundle.unknown_shapes
        else variant
        for variant in bundle.manifest.variants
    )
    return replace(bundle, manifest=replace(bundle.manifest, variants=known))


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
