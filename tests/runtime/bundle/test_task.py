"""Flows and results in a manifest: kept as they were written, or refused at opening."""

import json
import time

import pytest

from runtime.bundle import Bundle, Graph
from runtime.bundle.flow import Constant, Flow, FlowGraph
from runtime.bundle.joins import check_task
from runtime.bundle.prestep import ResizeCrop
from runtime.bundle.result import Labels
from runtime.bundle.task import TaskSpec
from runtime.errors import BundleError
from tests.runtime.bundle.toy_tasks import IMAGE, MELODY, PARSER, PARSING, TUNES, tensor, write


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
    "states too large together": (
        TUNES,
        lambda t: t["flow"]["states"].extend({"name": f"s{i}", "shape": [1 << 20]} for i in range(17)),
        "the states have 17825795 values",
    ),
    "a state twice": (
        TUNES,
        lambda t: t["flow"]["states"].append(t["flow"]["states"][0]),
        "'h' is there twice",
    ),
    "axes without end": (TUNES, lambda t: t["flow"]["states"][0].update(shape=[1] * 65), "65 axes"),
    "graphs without end": (
        TUNES,
        lambda t: t["flow"]["graphs"].extend({"name": f"g{i}", "when": "step"} for i in range(64)),
        "66 graphs; at most 64",
    ),
    "constant beyond its type": (
        TUNES,
        lambda t: t["flow"]["constants"][0].update(values=[1e300, 0]),
        "value that is no float32",
    ),
    "constant that is not whole": (
        TUNES,
        lambda t: t["flow"]["constants"][0].update(values=[0.5, 0], dtype="int32"),
        "value that is no int32",
    ),
    "a word without end": (
        TUNES,
        lambda t: t.update(result={"name": "text", "token": "note", "words": ["a" * 300, *"bcde"]}),
        "300 letters",
    ),
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


def test_a_flow_of_very_many_tensors_is_checked_at_once():
    """What looked each of them up in a list took minutes."""
    count = 30_000
    names = [f"x{i}" for i in range(count)]
    graphs = {"g": Graph(tuple(tensor(name, 1) for name in names), (tensor("y", 1, 2),))}
    use = FlowGraph("g", inputs={name: f"constant:{name}" for name in names})
    begin = time.perf_counter()
    flow = Flow((use,), constants=tuple(Constant(name, (1,), (0.0,)) for name in names))
    check_task(TaskSpec("many", flow, Labels("g.y")), graphs)
    assert time.perf_counter() - begin < 10


def test_a_token_is_drawn_from_a_row_of_more_than_one_number(tmp_path):
    scalar = TUNES | {"note": Graph(TUNES["note"].inputs, (tensor("y"),))}
    with pytest.raises(BundleError, match="token 'note' has top_k 3 and start 1 but 1 values"):
        write(tmp_path / "toy.edgekit", scalar, MELODY)


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
