"""From a model to a bundle: lower, export per engine, check, write whole or not at all."""

from __future__ import annotations

import functools
import hashlib
import itertools
import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np

from edgekit.export import executorch, litert  # noqa: F401  (they register themselves)
from edgekit.export.backend import EXPORT_BACKENDS, Exported
from edgekit.export.delegation import check_allowed, check_delegation
from edgekit.export.graph import Origin
from edgekit.export.parity import DEFAULT_TOLERANCE, check_parity, run_file
from edgekit.export.preflight import Prepared, prepare
from edgekit.export.quantize import QuantizeOptions, quantize_graph
from edgekit.export.quantize.gate import check_fake_quantised, check_quantized
from edgekit.export.quantize.speed import latency_ratio
from runtime._version import __version__
from runtime.bundle import (
    ENGINES,
    MAIN_GRAPH,
    PRECISIONS,
    SUFFIX,
    Bundle,
    Graph,
    Manifest,
    Parity,
    Variant,
    new_bundle,
)
from runtime.errors import DelegationError, ExportError

_QUANTIZED_TOLERANCE = 1.0  # of the largest output: quantised files are gated by their SQNR


def export_bundle(
    origin: Origin,
    out: str | Path,
    *,
    engines: Sequence[str] = ENGINES,
    precisions: Sequence[str] = ("fp32",),
    quantize: QuantizeOptions | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
    allow_fallback: Collection[str] = (),
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> Bundle:
    """Export a model for each engine, check the files and write the bundle.

    Args:
        origin: the model's graphs with real inputs, and its provenance.
        out: the bundle's folder.
        engines: names of ``EXPORT_BACKENDS``.
        precisions: of ``PRECISIONS``.
        quantize: how those other than fp32 are made.
        tolerance: see ``compare_outputs``.
        allow_fallback: ops that may run outside the delegate, by the names the error gives; commas may
            join several.
        overwrite: replace a bundle that is there.
        progress: called with each step.

    Raises:
        ValueError: unknown engine, precision or op.
        ExportError: the model cannot be exported.
        DelegationError: an op falls off the delegate and is not allowed to.
        ParityError: the numbers differ from the eager model's.
        AccuracyError: quantisation loses more of the score than ``quantize`` allows.
        BundleError: ``out`` cannot be written.

    Example:
        >>> bundle = export_bundle(find_origin("mobilenet_v2"), "mbv2.edgekit")   # doctest: +SKIP
    """
    allow_fallback = [name.strip() for names in allow_fallback for name in names.split(",") if name.strip()]
    precisions = tuple(dict.fromkeys(precisions))
    for precision in precisions or ("",):
        if precision not in PRECISIONS:
            raise ValueError(f"precision is {precision!r}; allowed: {', '.join(PRECISIONS)}")
    backends = {engine: EXPORT_BACKENDS.get(engine) for engine in dict.fromkeys(engines)}
    if not backends:
        raise ValueError(f"no engine is given; choose from {', '.join(EXPORT_BACKENDS)}")
    progress("lowering the model")
    prepared = _prepare_all(origin, backends, progress)
    _check_labels(origin, prepared)
    variants: list[Variant] = []
    refused: list[str] = []
    ops: set[str] = set()
    packages = {"torch"}
    choices = quantize or QuantizeOptions()

    @functools.cache  # converted once, however many precisions need it
    def float_file(graph: str, engine: str) -> Exported:
        ready = prepared[graph]
        return backends[engine](ready.lowered, ready.example, ready.program)

    export_id = _export_id(origin)
    with new_bundle(out, overwrite=overwrite) as writer:
        for (graph, ready), engine, precision in itertools.product(prepared.items(), backends, precisions):
            name = f"{engine}-{precision}" if graph == MAIN_GRAPH else f"{graph}-{engine}-{precision}"
            progress(f"{name}: exporting")
            make_float = functools.partial(float_file, graph, engine)
            fake = None
            if precision == "fp32":
                exported, record = make_float(), None
            else:
                if "fp32" not in precisions and precision == precisions[0]:
                    progress(f"{name}: checking the float file that it is made of")
                    with make_float().as_file() as float_path:
                        _, exact = _compare(engine, float_path, ready, make_float(), tolerance)
                    check_parity(f"{name}'s float form", exact)
                made, record, simulated_db = quantize_graph(
                    engine, precision, ready, choices, make_float, progress
                )
                exported, fake = made.exported, made.fake
            token = _token(origin.name) if graph == MAIN_GRAPH else f"{_token(origin.name)}-{_token(graph)}"
            stem = f"{token}_{exported.delegate}_{_token(precision)}"
            path = writer.add(f"{stem}{exported.suffix}", exported.data, "model")
            ops |= exported.ops
            try:
                delegation = check_delegation(
                    name, engine, writer.root / path, exported, allow_fallback, progress
                )
            except DelegationError as err:
                refused.append(str(err))  # the other engine's ops have other names: all in one run
                continue
            progress(f"{name}: comparing with eager on {ready.source.described}")
            limit = tolerance if record is None else _QUANTIZED_TOLERANCE
            actual, parity = _compare(engine, writer.root / path, ready, exported, limit)
            if record is None:
                check_parity(name, parity)
            else:
                check_quantized(name, parity, simulated_db)
                if fake is not None:
                    outputs = [output.name for output in ready.outputs]
                    check_fake_quantised(name, outputs, actual, fake, ready.expected)
                frame = ready.source.frames[0]
                ratio = latency_ratio(engine, writer.root / path, frame, exported.inputs, make_float())
                record = replace(record, latency_ratio=ratio)
            workload = writer.add(f"workloads/{name}.json", _workload(exported), "workload")
            variants.append(
                Variant(name, engine, precision, path, graph, workload, delegation, parity, record, export_id)
            )
            packages.update(exported.packages)
        if refused:
            raise DelegationError("\n".join(refused))
        check_allowed(allow_fallback, variants, ops)
        labels = writer.add("labels.txt", _lines(origin.labels), "labels") if origin.labels else None
        writer.finish(
            Manifest(
                name=Path(out).name.removesuffix(SUFFIX),
                created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
                graphs={name: Graph(ready.source.inputs, ready.outputs) for name, ready in prepared.items()},
                variants=tuple(variants),
                labels=labels,
                task=origin.task.result(origin.labels),
                source=origin.facts,
                toolchain=_toolchain(packages),
            )
        )
    return Bundle.open(out)


def _export_id(origin: Origin) -> str | None:
    """Return what tells the files of these weights from others; several graphs of one flow have it."""
    if len(origin.graphs) < 2:
        return None
    found = hashlib.sha256()
    for name, graph in origin.graphs.items():
        found.update(name.encode())
        for tensor in graph.model.state_dict().values():
            found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def _prepare_all(
    origin: Origin, engines: Collection[str], progress: Callable[[str], None]
) -> dict[str, Prepared]:
    """Return every graph, checked; an error tells what was found in all of them."""
    prepared, errors = {}, []
    for graph, source in origin.graphs.items():
        name = graph if len(origin.graphs) > 1 else ""
        try:
            prepared[graph] = prepare(source, engines, name=name, on_message=progress)
        except ExportError as err:
            errors.append(err)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExportError("\n".join(map(str, errors)))
    return prepared


def _compare(
    engine: str, path: Path, ready: Prepared, exported: Exported, tolerance: float
) -> tuple[list[list[np.ndarray]], Parity]:
    """Return the outputs of a file for the frames of ``ready``, and how far they are from eager."""
    actual = run_file(engine, path, ready.source.frames, exported.inputs, exported.outputs)
    return actual, ready.compare(f"{path.name} on {engine}", actual, tolerance)


def _check_labels(origin: Origin, prepared: Mapping[str, Prepared]) -> None:
    first = prepared[MAIN_GRAPH].outputs[0] if MAIN_GRAPH in prepared else None
    is_scores = first is not None and len(first.shape) == 2 and first.shape[0] == 1
    if origin.labels and is_scores and first.shape[1] != len(origin.labels):
        raise ExportError(
            f"the model gives {first.shape[1]} scores, {len(origin.labels)} labels name them; give one label "
            "for each score, in their order"
        )


def _workload(exported: Exported) -> bytes:
    return msgspec.json.format(msgspec.json.encode(exported.workload), indent=1)


def _token(text: str) -> str:
    """Return ``text`` as one token of a file name: ExecuTorch's own app splits them at ``_``."""
    kept = "".join(char for char in text if char.isascii() and char.isalnum())
    if not kept:
        raise ExportError(f"the name {text!r} has no letter or digit; give the bundle another name")
    return kept.lower()


def _lines(labels: Sequence[str]) -> bytes:
    return "".join(f"{label}\n" for label in labels).encode()


def _toolchain(packages: Collection[str]) -> dict[str, str]:
    own = {"edgekit": __version__, "python": platform.python_version()}
    return own | {package: version(package) for package in sorted(packages)}
