"""Flows over graphs that are plain functions: what runs when, on what, and where it ends."""

import numpy as np
import pytest

from runtime.bundle import Graph, TensorSpec
from runtime.bundle.flow import Constant, Flow, FlowGraph, State, Stop, Token
from runtime.bundle.joins import check_task
from runtime.bundle.result import Embedding, Text
from runtime.bundle.task import TaskSpec
from runtime.flow.runner import FlowRunner


def tensor(name, *shape, dtype="float32"):
    return TensorSpec(name, dtype, shape)


class Graphs:
    """Runs functions by name, and keeps what they were given."""

    def __init__(self, functions):
        self.functions, self.seen = functions, []

    def run(self, name, inputs):
        self.seen.append((name, [array.tolist() for array in inputs]))
        return self.functions[name](*inputs)


COUNTER = {
    "bar": Graph((tensor("h", 1, 1),), (tensor("y", 1, 2), tensor("next", 1, 1))),
    "note": Graph(
        (tensor("bar", 1, 2), tensor("last", 1, dtype="int64"), tensor("place", 1, 3), tensor("key", 1, 1)),
        (tensor("y", 1, 4),),
    ),
}
LOOP = Flow(
    (
        FlowGraph("bar", "step", {"h": "state:h"}, {"next": "h"}, Token("bar", "y", temperature=0), every=2),
        FlowGraph(
            "note",
            "step",
            {"bar": "token:bar", "last": "token:note@2", "place": "position:3", "key": "constant:key"},
            token=Token("note", "y", temperature=0, start=3),
        ),
    ),
    states=(State("h", (1, 1)),),
    constants=(Constant("key", (1, 1), (5.0,)),),
    stop=Stop(8, token="note", value=2, count="pairs", steps_per_count=2, default_count=2),
)


def bar(h):
    """Score 1 at even runs, 0 at odd ones; the state counts runs."""
    return [np.array([[h[0, 0] % 2, (h[0, 0] + 1) % 2]], np.float32), h + 1]


def row(number):
    return np.eye(4, dtype=np.float32)[[number]]


def test_graphs_of_steps_run_when_they_are_due_on_what_they_join():
    check_task(TaskSpec("t", LOOP, Text("note", ("a", "b", "c", "d"))), COUNTER)
    graphs = Graphs({"bar": bar, "note": lambda *given: [row(1 if given[1][0] == 3 else 0)]})
    frame = FlowRunner(LOOP, COUNTER, graphs.run).frame({})
    assert [(name, given) for name, given in graphs.seen] == [
        ("bar", [[[0.0]]]),
        ("note", [[[0.0, 1.0]], [3], [[1.0, 0.0, 0.0]], [[5.0]]]),
        (
            "note",
            [[[0.0, 1.0]], [3], [[0.0, 1.0, 0.0]], [[5.0]]],
        ),  # one draw so far, not two
        ("bar", [[[1.0]]]),
        ("note", [[[1.0, 0.0]], [1], [[0.0, 0.0, 1.0]], [[5.0]]]),
        ("note", [[[1.0, 0.0]], [1], [[1.0, 0.0, 0.0]], [[5.0]]]),
    ]
    assert frame.draws == {"bar": (1, 0), "note": (1, 1, 0, 0)}
    assert frame.steps == 4


def test_steps_end_at_the_token_or_at_the_users_count():
    ends_third = Graphs({"bar": bar, "note": lambda bar, last, place, key: [row(2 if place[0, 2] else 1)]})
    runner = FlowRunner(LOOP, COUNTER, ends_third.run)
    assert runner.frame({}, count=4).draws["note"] == (1, 1, 2)
    assert runner.frame({}, count=1).draws["note"] == (1, 1)
    assert ends_third.seen[5][1] == [[[0.0]]]  # a new frame begins with states of zeros
    for count in (0, 5):
        with pytest.raises(ValueError, match="makes 1 to 4"):
            runner.frame({}, count=count)


PAIR = {
    "embed": Graph((tensor("x", 1, 2),), (tensor("v", 1, 2),)),
    "score": Graph((tensor("a", 1, 2), tensor("x", 1, 2), tensor("h", 1, 2)), (tensor("v", 1, 2),)),
}
VIDEO = Flow(
    (
        FlowGraph("embed", "reference", {"x": "file:exemplar"}),
        FlowGraph("score", "frame", {"a": "embed.v", "x": "file:x", "h": "state:h"}, {"v": "h"}),
    ),
    states=(State("h", (1, 2)),),
)


def test_references_run_once_and_states_of_frames_stay():
    check_task(TaskSpec("t", VIDEO, Embedding("score.v")), PAIR)
    graphs = Graphs({"embed": lambda x: [x * 10], "score": lambda a, x, h: [a + x + h]})
    runner = FlowRunner(VIDEO, PAIR, graphs.run)
    one = np.ones((1, 2), np.float32)
    with pytest.raises(ValueError, match="compares with a reference"):
        runner.frame({"file:x": one})
    runner.refer({"file:exemplar": one})
    assert [runner.frame({"file:x": one}).outputs["score.v"][0, 0] for _ in range(3)] == [11, 22, 33]
    runner.reset()
    assert runner.frame({"file:x": one}).outputs["score.v"][0, 0] == 11
    assert [name for name, _ in graphs.seen].count("embed") == 1


def test_values_that_are_missing_or_do_not_fit_are_named():
    runner = FlowRunner(VIDEO, PAIR, Graphs({"embed": lambda x: [x]}).run)
    with pytest.raises(ValueError, match="file:exemplar, which is not given"):
        runner.refer({})
    with pytest.raises(ValueError, match=r"file:exemplar has shape \(2,\)"):
        runner.refer({"file:exemplar": np.ones(2, np.float32)})


def test_a_state_of_another_shape_is_refused():
    graphs = Graphs({"embed": lambda x: [x], "score": lambda a, x, h: [np.ones((1, 3), np.float32)]})
    runner = FlowRunner(VIDEO, PAIR, graphs.run)
    one = np.ones((1, 2), np.float32)
    runner.refer({"file:exemplar": one})
    with pytest.raises(ValueError, match=r"state of 'v' has shape \(1, 3\)"):
        runner.frame({"file:x": one})


def test_numbers_that_are_known_take_the_place_of_draws_and_their_scores_are_kept():
    graphs = Graphs({"bar": bar, "note": lambda *given: [row(1)]})
    runner = FlowRunner(LOOP, COUNTER, graphs.run)
    frame = runner.frame({}, forced={"bar": [0, 0], "note": [3, 3, 0]})  # three steps: the second pair is cut
    assert frame.draws == {"bar": (0, 0), "note": (3, 3, 0)}
    assert frame.steps == 3
    assert frame.scores["bar"].tolist() == [[0, 1], [1, 0]]  # of runs 0 and 1
    assert frame.scores["note"].shape == (3, 4)
    assert [given[1] for name, given in graphs.seen if name == "note"] == [[3], [3], [3]]  # two draws before
    assert runner.frame({}).scores == {}
    with pytest.raises(ValueError, match="'bar' is given 1 numbers for 3 steps; give 2"):
        runner.frame({}, forced={"bar": [0], "note": [3, 3, 0]})
