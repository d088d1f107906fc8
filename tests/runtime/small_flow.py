"""A bundle with a flow of two step graphs that really run and cost next to nothing; no exporter is needed."""

from runtime.bundle import Bundle, Graph, Manifest, TensorSpec, Variant, new_bundle
from runtime.bundle.flow import Flow, FlowGraph, State, Stop, Token
from runtime.bundle.result import Notes
from runtime.bundle.task import TaskSpec
from tests.runtime.tflite_builder import write_doubling_conv

ROW = (1, 1, 1, 4)
PRECISIONS = ("fp32", "dynamic_wi8_afp32")
FLOW = Flow(
    (
        FlowGraph("bar", "step", {"x": "token:bar"}, token=Token("bar", "y"), every=4),
        FlowGraph("note", "step", {"x": "state:h"}, {"y": "h"}, Token("note", "y", temperature=0)),
    ),
    states=(State("h", ROW),),
    stop=Stop(64, count="bars", steps_per_count=4, default_count=2),
)
TASK = TaskSpec("tunes", FLOW, Notes("note", lowest=60, pitches=2))


def make_flow(folder):
    """Return the opened bundle: graphs ``bar`` and ``note``, each a file that doubles a row of four."""
    graph = Graph((TensorSpec("x", "float32", ROW),), (TensorSpec("y", "float32", ROW),))
    with new_bundle(folder / "tunes.edgekit") as writer:
        variants = []
        for name in ("bar", "note"):
            for version, precision in enumerate(PRECISIONS, start=1):  # they differ in their bytes alone
                data = write_doubling_conv(folder / "double.tflite", side=1, op_version=version).read_bytes()
                path = writer.add(f"{name}-{precision}.tflite", data, "model")
                kind = f"litert-{precision}"
                variants.append(Variant(f"{name}-{kind}", "litert", precision, path, name, export="one"))
        writer.finish(
            Manifest("tunes", "2026-01-01", {"bar": graph, "note": graph}, tuple(variants), task=TASK)
        )
    return Bundle.open(folder / "tunes.edgekit")
