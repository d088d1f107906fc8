"""Model files: what is read of them in this process, and what the engines' own processes make of them."""

from __future__ import annotations

from pathlib import Path

from runtime.engines.native import find_runner
from runtime.engines.native.finding import VARIABLE
from runtime.engines.tflite_age import too_new
from runtime.engines.tflite_graph import read_tflite
from runtime.engines.xnnpack_rules import refusals
from runtime.errors import DeviceStableError
from tests.benchmarks.fuzz.surface import Prepared, Sample, run_command, surface
from tests.places import DATA
from tests.runtime.tflite_builder import write_doubling_conv


def _tflites(folder: Path) -> tuple[Sample, ...]:
    made = write_doubling_conv(folder / "double.tflite")
    old = next((DATA / "made_by_0_1_0").rglob("*.tflite"))
    return tuple(Sample(path.name, path.read_bytes(), "binary") for path in (made, made, old))


@surface("tflite", quick=120, share=4)
def tflite(folder: Path) -> Prepared:
    """The graph of a .tflite file, as Python reads it."""

    def read(sample: Sample, data: bytes) -> None:
        path = folder / sample.name
        path.write_bytes(data)
        graph = read_tflite(path)
        refusals(data, list(range(sum(graph.op_counts.values()))))
        too_new(path)

    return Prepared(_tflites(folder), read)


@surface("tflite-engine", quick=0, share=2)
def tflite_engine(folder: Path) -> Prepared:
    """A .tflite file that LiteRT loads and runs, in a process that may die of it."""

    def read(sample: Sample, data: bytes) -> None:
        path = folder / sample.name
        path.write_bytes(data)
        if len(data) % 2:
            run_command("inspect", path)
        else:
            run_command("bench", path, "--runs", 2, "--blocks", 1, "--threads", 1, "-o", folder / "log.jsonl")

    return Prepared(_tflites(folder), read)


@surface("pte-engine", quick=0, share=2)
def pte_engine(folder: Path) -> Prepared:
    """A .pte file that the native runner loads, runs and profiles, in a process that may die of it."""
    import os

    runner = find_runner().runner
    if runner is None:
        raise DeviceStableError("there is no native runner; the Python binding takes 3 s a file")
    os.environ |= {VARIABLE: str(runner.folder), "EDGEKIT_EXECUTORCH": "native"}
    samples = tuple(
        Sample(name, (DATA / name).read_bytes(), "binary")
        for name in ("sum.pte", "two.pte", "int8.pte", "methods.pte")
    )

    def read(sample: Sample, data: bytes) -> None:
        path = folder / sample.name
        path.write_bytes(data)
        if len(data) % 2:
            run_command("profile", path, "--runs", 2)
        else:
            run_command("bench", path, "--runs", 2, "--blocks", 1, "--threads", 1, "-o", folder / "log.jsonl")

    return Prepared(samples, read)
