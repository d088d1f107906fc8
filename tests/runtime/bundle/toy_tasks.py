"""Tasks of bundles: a parser of faces, and tunes of bars and notes; their files are no models."""

from runtime.bundle import Graph, ImageSpec, Manifest, TensorSpec, Variant, new_bundle
from runtime.bundle.flow import Constant, Flow, FlowGraph, State, Stop, Token
from runtime.bundle.prestep import TanhWarp
from runtime.bundle.result import Mask, Notes
from runtime.bundle.task import TaskSpec

IMAGE = ImageSpec(size=8, resize=8, mean=(0.5,) * 3, std=(0.5,) * 3)


def tensor(name, *shape, dtype="float32", image=None):
    return TensorSpec(name, dtype, shape, image)


PARSER = {"forward": Graph((tensor("x", *IMAGE.shape, image=IMAGE),), (tensor("y", 1, 2, 4, 4),))}
PARSING = TaskSpec(
    "face-parsing",
    Flow((FlowGraph("forward", inputs={"x": "pre:image"}),), pre=TanhWarp()),
    Mask("forward.y", ("rest", "face"), palette=((0, 0, 0), (255, 0, 0))),
    metric="mIoU",
)
TUNES = {
    "bar": Graph((tensor("h", 1, 3), tensor("last", 1, 2)), (tensor("next_h", 1, 3), tensor("y", 1, 2))),
    "note": Graph(
        (tensor("bar", 1, 2), tensor("last", 1, dtype="int64"), tensor("place", 1, 4), tensor("key", 1, 2)),
        (tensor("y", 1, 5),),
    ),
}
MELODY = TaskSpec(
    "melody",
    Flow(
        (
            FlowGraph(
                "bar",
                "step",
                {"h": "state:h", "last": "token:bar"},
                {"next_h": "h"},
                Token("bar", "y"),
                every=4,
            ),
            FlowGraph(
                "note",
                "step",
                {"bar": "token:bar", "last": "token:note@4", "place": "position:4", "key": "constant:key"},
                token=Token("note", "y", temperature=0.9, top_k=3, start=1),
            ),
        ),
        states=(State("h", (1, 3)),),
        constants=(Constant("key", (1, 2), (0.0, 1.0)),),
        stop=Stop(64, count="bars", steps_per_count=4, default_count=8),
    ),
    Notes("note", lowest=60, pitches=3),
)


def write(path, graphs, task, exports=None):
    """Write a bundle whose files are no models: only what its manifest says is looked at."""
    variants = []
    with new_bundle(path) as writer:
        for name in graphs:
            writer.add(f"{name}.tflite", name.encode(), "model")
            export = (exports or {}).get(name, "a")
            variants.append(Variant(name, "litert", "fp32", f"{name}.tflite", graph=name, export=export))
        writer.finish(Manifest("toy", "2026-01-01T00:00:00Z", graphs, tuple(variants), task=task))
    return path
