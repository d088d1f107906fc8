"""What a bundle is for: its flow run on made-up outputs, its result decoded and saved; raw arrays."""

from __future__ import annotations

import io
import math
import zlib
from pathlib import Path

import numpy as np

from runtime.bundle import Bundle, Graph, TaskSpec, TensorSpec
from runtime.bundle.flow import Flow, FlowGraph
from runtime.bundle.result import Boxes, Embedding, Keypoints, Picture, Result, Text
from runtime.errors import DataError
from runtime.flow.given import enter, wanted
from runtime.flow.moment import steps_of
from runtime.flow.npz import read_arrays
from runtime.flow.runner import FlowRunner
from runtime.processing.results.decode import decode
from runtime.processing.results.decoded import Frame
from runtime.processing.results.saving import check_ending, save_result
from tests.benchmarks.fuzz.surface import Prepared, Sample, run_command, surface
from tests.runtime.bundle.toy_tasks import IMAGE, MELODY, PARSER, PARSING, TUNES, write

_MOST_VALUES, _MOST_STEPS = 1 << 20, 1 << 10  # larger is what a user asked for, and slow
_BOX = (4.0, 4.0, 20.0, 20.0)
_FRAME = Flow((FlowGraph("forward", inputs={"x": "pre:image"}),), pre=PARSING.flow.pre)


def _one(result: Result, **shapes: tuple[int, ...]) -> tuple[dict[str, Graph], TaskSpec]:
    """Return a bundle's graphs and task where one graph makes ``shapes`` of a picture."""
    outputs = tuple(TensorSpec(name, "float32", shape) for name, shape in shapes.items())
    graph = Graph((TensorSpec("x", "float32", IMAGE.shape, IMAGE),), outputs)
    return {"forward": graph}, TaskSpec("toy", _FRAME, result)


_TASKS = {
    "mask": (PARSER, PARSING),
    "notes": (TUNES, MELODY),
    "text": (TUNES, TaskSpec("text", MELODY.flow, Text("note", tuple("abcde"), end=4))),
    "boxes": _one(Boxes("forward.b", "forward.s", ("cat", "dog")), b=(1, 6, 4), s=(1, 6, 2)),
    "keypoints": _one(Keypoints("forward.h", ("nose", "ear"), ((0, 1),)), h=(1, 2, 8, 8)),
    "embedding": _one(Embedding("forward.v"), v=(1, 8)),
    "picture": _one(Picture("forward.p"), p=(1, 1, 8, 8)),
}
_ENDINGS = (".png", ".jpg", ".json", ".txt", ".mask.png", ".mid")


@surface("task", quick=60, share=2)
def task(folder: Path) -> Prepared:
    """Flow and result of a manifest."""
    bundles = {name: write(folder / f"{name}.edgekit", *made) for name, made in _TASKS.items()}
    samples = {name: (path / "manifest.json").read_bytes() for name, path in bundles.items()}

    def read(sample: Sample, data: bytes) -> None:
        path = bundles[sample.name]
        (path / "manifest.json").write_bytes(data)
        if zlib.crc32(data) % 4 == 0:
            run_command("inspect", path)
        _run(Bundle.open(path), folder, zlib.crc32(data))

    return Prepared(tuple(Sample(name, data, "json") for name, data in samples.items()), read)


def _run(bundle: Bundle, folder: Path, seed: int) -> None:
    """Run one frame with outputs out of nowhere, and save its result."""
    from PIL import Image

    task, graphs = bundle.manifest.task_or_implied, bundle.manifest.graphs
    specs = [spec for graph in graphs.values() for spec in (*graph.inputs, *graph.outputs)]
    if task is None or max(math.prod(spec.shape) for spec in specs) > _MOST_VALUES:
        return
    if task.flow.stop is not None and steps_of(task.flow.stop, None) > _MOST_STEPS:
        return
    rng = np.random.default_rng(seed)

    def run(graph: str, inputs: list[np.ndarray]) -> list[np.ndarray]:
        for array, spec in zip(inputs, graphs[graph].inputs, strict=True):
            assert (array.shape, array.dtype) == (spec.shape, spec.dtype)
        made = [
            rng.standard_normal(spec.shape) * 10.0 ** rng.integers(-3, 40) for spec in graphs[graph].outputs
        ]
        return [one.astype(spec.dtype) for one, spec in zip(made, graphs[graph].outputs, strict=True)]

    needs = wanted(task.flow, graphs)
    picture = task.flow.pre is not None and len(needs) == 1
    arrays = {name: np.zeros(spec.shape, spec.dtype) for name, spec in needs.items()}
    given = enter(Image.new("RGB", (32, 24)) if picture else arrays, needs, task.flow, _BOX)
    with np.errstate(all="ignore"):
        frame = FlowRunner(task.flow, graphs, run).frame(given.values, seed=seed)
        result = decode(task.result, Frame(frame.outputs, frame.draws, given.placement, bundle.labels()))
        result.table()
        for ending in _ENDINGS:
            out = folder / f"out{ending}"
            try:
                check_ending(task.result, out)
            except DataError:
                continue
            save_result(result, out, given.picture)


@surface("raw-arrays", quick=200)
def raw_arrays(folder: Path) -> Prepared:
    """Arrays as ``--raw`` reads them without NumPy."""
    plain, archive, packed = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(plain, np.ones((1, 2, 3), np.float32))
    both = {"x": np.ones((1, 2, 3), np.float32), "y": np.ones((1, 4), np.int64)}
    np.savez(archive, **both)
    np.savez_compressed(packed, **both)
    forms = {"x.npy": (plain, "npy"), "xy.npz": (archive, "zip"), "packed.npz": (packed, "zip")}

    def read(sample: Sample, data: bytes) -> None:
        (folder / sample.name).write_bytes(data)
        for array in read_arrays(folder / sample.name).values():
            array.numpy()

    return Prepared(tuple(Sample(name, made.getvalue(), form) for name, (made, form) in forms.items()), read)
