"""Export graphs of kernels into one bundle, a variant each; what an engine cannot build is found."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import msgspec
import torch

from edgekit.export import EXPORT_BACKENDS, Exported, lower
from edgekit.search.kernels.chain import Chain, Step
from edgekit.search.kernels.modules import build_graph
from runtime._version import __version__
from runtime.bundle import SUFFIX, Bundle, Graph, Manifest, TensorSpec, Variant, new_bundle
from runtime.choose.fitting.kernels.result import PRECISION
from runtime.errors import ExportError


def add_graph(
    path: Path, bundle: Bundle | None, engine: str, name: str, chains: Sequence[Chain], seed: int
) -> Bundle:
    """Return ``bundle`` with a graph of ``chains`` called ``name``; ``None``: a new one at ``path``.

    Raises:
        ExportError: the engine's exporter cannot build it.
        BundleError: the bundle cannot be written.
    """
    shapes = [(1, chain.start.channels, chain.start.side, chain.start.side) for chain in chains]
    return add_exported(path, bundle, engine, name, export_chains(engine, chains, seed), shapes)


def add_exported(
    path: Path,
    bundle: Bundle | None,
    engine: str,
    name: str,
    exported: Exported,
    shapes: Sequence[tuple[int, ...]],
) -> Bundle:
    """Return ``bundle``, or a new one at ``path``, with a file that takes float inputs of ``shapes``."""
    inputs = tuple(TensorSpec(f"input_{i}", "float32", shape) for i, shape in enumerate(shapes))
    graph = Graph(inputs, ())
    file, table = f"{name}{exported.suffix}", f"workloads/{name}.json"
    variant = Variant(name, engine, PRECISION, file, name, table, exported.delegation)
    workload = msgspec.json.encode(exported.workload)
    if bundle is not None:
        return bundle.add(table, workload, "workload").add(file, exported.data, "model", of=(variant, graph))
    with new_bundle(path) as writer:
        writer.add(table, workload, "workload")
        writer.add(file, exported.data, "model")
        writer.finish(
            Manifest(
                name=path.name.removesuffix(SUFFIX),
                created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
                graphs={name: graph},
                variants=(variant,),
                toolchain={"edgekit": __version__, "python": platform.python_version()},
            )
        )
    return Bundle.open(path)


def export_chains(engine: str, chains: Sequence[Chain], seed: int) -> Exported:
    """Return the file of a graph that runs ``chains`` one after the other.

    Raises:
        ExportError: it cannot be built.
    """
    model, example = build_graph(chains, seed)
    with torch.no_grad():
        return EXPORT_BACKENDS.get(engine)(lower(model), example)


def find_unbuildable(engine: str, chains: Sequence[Chain], seed: int) -> dict[str, str]:
    """Return the kinds of steps of ``chains`` that the engine cannot build by themselves, and why."""
    found: dict[str, str] = {}
    tried: set[Step] = set()
    for chain in chains:
        for step, taken in zip(chain.steps, chain.maps()[:-1], strict=True):
            if step.kind in found or step in tried or not taken.side:
                continue
            tried.add(step)
            try:
                export_chains(engine, [Chain(taken, (step,))], seed)
            except ExportError as err:
                found[step.kind] = str(err)
    return found
