"""One graph run on arrays as they are, its outputs saved as they are: nothing here needs NumPy."""

from __future__ import annotations

from pathlib import Path

from runtime.bundle import Bundle, Graph
from runtime.device.setting import Setting
from runtime.engines import Array
from runtime.errors import DeviceStableError
from runtime.flow.npz import read_arrays, write_npz
from runtime.targets import Target


def run_raw(
    bundle: Bundle,
    target: Target,
    setting: Setting,
    given: Path | None,
    out: Path,
    variant: str | None = None,
) -> float:
    """Run one graph once, write its outputs to ``out`` as ``GRAPH.OUTPUT``, and return what it took in ms.

    Args:
        given: a ``.npy`` file for one input, a ``.npz`` with arrays called as the inputs for several;
            ``None``: arbitrary data.
        out: a ``.npz`` file.
        variant: name; default: the bundle's first.

    Raises:
        DataError: a file cannot be read or written.
        ValueError: no such variant, or arrays that do not fit it.
        DeviceError: it cannot run there.
    """
    chosen = bundle.manifest.variant(variant)
    graph = bundle.manifest.graphs[chosen.graph]
    inputs = None if given is None else _in_order(read_arrays(given), graph, given)
    with target.session(bundle, chosen, setting) as session:
        frame = session.run(inputs)
    if frame.arrays is None or len(frame.arrays) != len(graph.outputs):
        raise DeviceStableError(f"{chosen.path} gives other outputs than its manifest says; export it again")
    names = [f"{chosen.graph}.{spec.name}" for spec in graph.outputs]
    write_npz(out, dict(zip(names, frame.arrays, strict=True)))
    return frame.latency_ms


def _in_order(arrays: dict[str, Array], graph: Graph, path: Path) -> list[Array]:
    names = [spec.name for spec in graph.inputs]
    if list(arrays) == [""] and len(names) == 1:
        return [arrays[""]]
    if set(arrays) != set(names):
        held = ", ".join(arrays) or "nothing"
        raise ValueError(f"{path} holds {held}; the inputs are called {', '.join(names)}: name them so")
    return [arrays[name] for name in names]
