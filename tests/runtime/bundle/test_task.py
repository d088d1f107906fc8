"""Flows and results in a manifest: kept as they were written, or refused at opening."""

import json

import pytest

from runtime.bundle import Bundle, Graph, ImageSpec, Manifest, TensorSpec, Variant, new_bundle
from runtime.bundle.flow import Constant, Flow, FlowGraph, State, Stop, Token
from runtime.bundle.prestep import ResizeCrop, TanhWarp
from runtime.bundle.result import Labels, Mask, Notes
from runtime.bundle.task import TaskSpec
from runtime.errors import BundleError

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


@pytest.mark.parametrize(("graphs", "task"), [(PARSER, PARSING), (TUNES, MELODY)])
def test_a_task_is_read_as_it_was_written(tmp_path, graphs, task):
    manifest = Bundle.open(write(tmp_path / "toy.edgekit", graphs, task)).manifest
    assert manifest.task == task
    assert manifest.schema_version == 2


REFUSED = {
    "unknown result": (
        PARSER,
        lambda t: t["result"].update(name="smell"),
        "'smell' is unknown; allowed: labels",
    ),
    "unknown pre-step": (
        PARSER,
        lambda t: t["flow"]["pre"].update(name="zoom"),
        "'zoom' is unknown; allowed",
    ),
    "unknown parameter": (PARSER, lambda t: t["result"].update(run="rm"), "unknown field `run`"),
    "wrong type": (PARSER, lambda t: t["result"].update(classes=3), r"\$.task.result.classes"),
    "class too many": (
        PARSER,
        lambda t: t["result"].update(classes=list("abc"), palette=[]),
        r"needs \[1, 3,",
    ),
    "colour too many": (PARSER, lambda t: t["result"]["palette"].append([1, 2, 3]), "3 colours for 2"),
    "no graph": (PARSER, lambda t: t["flow"].update(graphs=[]), "without graphs"),
    "unknown graph": (PARSER, lambda t: t["flow"]["graphs"][0].update(name="back"), "there is: forward"),
    "unknown input": (
        PARSER,
        lambda t: t["flow"]["graphs"][0]["inputs"].update(z="pre:image"),
        "there is: x",
    ),
    "no source": (PARSER, lambda t: t["flow"]["graphs"][0].update(inputs={}), "'x' .* has no source"),
    "source of no form": (
        PARSER,
        lambda t: t["flow"]["graphs"][0]["inputs"].update(x="image"),
        "write one of",
    ),
    "no pre-step": (PARSER, lambda t: t["flow"].update(pre=None), "has no pre-step"),
    "output unknown": (PARSER, lambda t: t["result"].update(scores="forward.z"), "there is: y"),
    "state of another shape": (
        TUNES,
        lambda t: t["flow"]["states"][0].update(shape=[1, 4]),
        r"\[1, 4\], but 'h'",
    ),
    "state of another type": (TUNES, lambda t: t["flow"]["states"][0].update(dtype="int32"), "is int32"),
    "state too large": (TUNES, lambda t: t["flow"]["states"][0].update(shape=[1 << 20, 1 << 20]), "at most"),
    "no end": (TUNES, lambda t: t["flow"].update(stop=None), "nothing ends the steps"),
    "an end that never comes": (
        TUNES,
        lambda t: t["flow"]["stop"].update(token="note", value=9),
        "never end",
    ),
    "steps without limit": (TUNES, lambda t: t["flow"]["stop"].update(most_steps=10**9), "most_steps"),
    "a later graph": (
        TUNES,
        lambda t: t["flow"]["graphs"][0]["inputs"].update(last="note.y"),
        "runs before 'bar' 'note' is not there",
    ),
    "a row too short": (
        TUNES,
        lambda t: t["flow"]["graphs"][0]["inputs"].update(last="token:note"),
        "5 values",
    ),
    "constant too short": (
        TUNES,
        lambda t: t["flow"]["constants"][0].update(values=[1]),
        "1 values; it needs 2",
    ),
    "frame after step": (TUNES, lambda t: t["flow"]["graphs"][1].update(when="frame"), "only graphs that"),
    "top_k too large": (TUNES, lambda t: t["flow"]["graphs"][1]["token"].update(top_k=6), "5 values"),
    "pitch too many": (TUNES, lambda t: t["result"].update(pitches=4), "5 values of the token"),
    "token unknown": (TUNES, lambda t: t["result"].update(token="beat"), "there is: bar, note"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_at_opening(tmp_path, case):
    graphs, change, message = REFUSED[case]
    path = write(tmp_path / "toy.edgekit", graphs, PARSING if graphs is PARSER else MELODY)
    raw = json.loads((path / "manifest.json").read_text())
    change(raw["task"])
    (path / "manifest.json").write_text(json.dumps(raw))
    with pytest.raises(BundleError, match=message):
        Bundle.open(path)


@pytest.mark.parametrize("other", ["b", None])
def test_graphs_of_different_exports_are_refused(tmp_path, other):
    with pytest.raises(BundleError, match="come from different exports"):
        write(tmp_path / "toy.edgekit", TUNES, MELODY, exports={"note": other})
    assert not (tmp_path / "toy.edgekit").exists()


def test_a_bundle_of_schema_1_is_a_classifier_where_it_looks_like_one(tmp_path):
    image = {"x": tensor("x", *IMAGE.shape, image=IMAGE)}
    scores = {"forward": Graph((image["x"],), (tensor("y", 1, 2),))}
    path = write(tmp_path / "toy.edgekit", scores, None)
    raw = json.loads((path / "manifest.json").read_text())
    del raw["task"]
    raw["schema_version"] = 1
    (path / "manifest.json").write_text(json.dumps(raw))
    task = Bundle.open(path).manifest.task_or_implied
    assert task.flow == Flow((FlowGraph("forward", inputs={"x": "pre:image"}),), pre=ResizeCrop())
    assert task.result == Labels("forward.y")
    assert Bundle.open(write(tmp_path / "map.edgekit", PARSER, None)).manifest.task_or_implied is None
