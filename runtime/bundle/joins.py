"""Whether the tensors of a flow fit together: every input has one source, of its own shape and type."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from runtime.bundle.flow import Constant, Flow, FlowGraph, State
from runtime.bundle.prestep import PRE_VALUES
from runtime.bundle.result import (
    Boxes,
    Embedding,
    Keypoints,
    Labels,
    Mask,
    Notes,
    Picture,
    Result,
    Text,
    step_name,
)
from runtime.bundle.source import Source, parse_source
from runtime.bundle.task import TaskSpec
from runtime.bundle.tensors import Graph, TensorSpec

_SHOWN = 20  # names in an error
_NOTE_CONTROLS = 2  # tokens before the first pitch: the note before sounds on, the note before ends


def check_task(task: TaskSpec, graphs: Mapping[str, Graph]) -> None:
    """Refuse a task whose tensors do not fit together.

    Raises:
        ValueError: a graph, tensor, state or token is not there, is left without a source, or does not fit
            in shape or type.
    """
    joins = _Joins(task.flow, graphs)
    joins.check()
    _check_result(task.result, joins)


@dataclass(frozen=True)
class _Joins:
    flow: Flow
    graphs: Mapping[str, Graph]

    # A manifest may hold a million of each: they are looked up, not searched.
    @cached_property
    def _kept(self) -> dict[str, dict[str, State | Constant]]:
        return {
            "state": {one.name: one for one in self.flow.states},
            "constant": {one.name: one for one in self.flow.constants},
        }

    @cached_property
    def _outputs(self) -> dict[str, dict[str, TensorSpec]]:
        used = [use.name for use in self.flow.graphs if use.name in self.graphs]
        return {name: {spec.name: spec for spec in self.graphs[name].outputs} for name in used}

    @cached_property
    def drawn_from(self) -> dict[str, str]:
        """Token -> the output of scores, ``GRAPH.OUTPUT``."""
        uses = [(use.name, use.token) for use in self.flow.graphs]
        return {token.name: f"{name}.{token.scores}" for name, token in uses if token is not None}

    def check(self) -> None:
        earlier: list[str] = []
        for use in self.flow.graphs:
            _known("graph", use.name, self.graphs)
            graph = self.graphs[use.name]
            inputs = {spec.name: spec for spec in graph.inputs}
            for name in use.inputs:
                _known(f"input of graph {use.name!r}", name, inputs)
            for spec in graph.inputs:
                if spec.name not in use.inputs:
                    raise ValueError(
                        f"input {spec.name!r} of graph {use.name!r} has no source; name one in its inputs"
                    )
                self._check_input(use, spec, parse_source(use.inputs[spec.name]), earlier)
            self._check_states(use)
            earlier.append(use.name)
        self._check_tokens()

    def output(self, text: str) -> TensorSpec:
        """Return the tensor ``GRAPH.OUTPUT`` of a graph of the flow."""
        source = parse_source(text)
        if source.kind != "graph":
            raise ValueError(f"{text!r} is no output of a graph; write 'GRAPH.OUTPUT'")
        _known("graph of the flow", source.name, self._outputs)
        outputs = self._outputs[source.name]
        _known(f"output of graph {source.name!r}", source.output, outputs)
        return outputs[source.output]

    def _check_input(self, use: FlowGraph, spec: TensorSpec, source: Source, earlier: list[str]) -> None:
        text, where = use.inputs[spec.name], f"input {spec.name!r} of graph {use.name!r}"
        if source.kind == "graph":
            _known(f"graph that runs before {use.name!r}", source.name, earlier)
            _check_fits(self.output(text), spec, f"{text}, which {where} takes,")
        elif source.kind in ("state", "constant"):
            kept = self._kept[source.kind]
            _known(source.kind, source.name, kept)
            one = kept[source.name]
            found = TensorSpec(one.name, one.dtype, one.shape)
            _check_fits(found, spec, f"{text}, which {where} takes,")
        elif source.kind == "pre":
            self._check_pre(spec, source, where)
        elif source.kind == "token":
            _known("token", source.name, self.drawn_from)
            _check_row(spec, self.n_values(source.name), where, text)
            self._only_in_steps(use, text)
        elif source.kind == "position":
            _check_row(spec, source.number, where, text)
            self._only_in_steps(use, text)

    def _check_pre(self, spec: TensorSpec, source: Source, where: str) -> None:
        if self.flow.pre is None:
            raise ValueError(f"{where} takes 'pre:{source.name}', but the flow has no pre-step; name one")
        _known("value of a pre-step", source.name, PRE_VALUES)
        if spec.image is None:
            raise ValueError(f"{where} takes a picture but says no size, mean and std; give it an image spec")
        if spec.image.shape != spec.shape or spec.dtype != "float32":
            raise ValueError(
                f"{where} is {spec.dtype}{list(spec.shape)}, a picture for it float32"
                f"{list(spec.image.shape)}; give it the image spec that it was exported with"
            )

    def _only_in_steps(self, use: FlowGraph, text: str) -> None:
        if use.when != "step":
            raise ValueError(f"graph {use.name!r} takes {text!r} but runs once per {use.when}; only steps do")

    def n_values(self, token: str) -> int:
        """Return how many values a token of the flow can have."""
        return _width(self.output(self.drawn_from[token]))

    def _check_states(self, use: FlowGraph) -> None:
        states = self._kept["state"]
        for output, name in use.states.items():
            _known("state", name, states)
            given = self.output(f"{use.name}.{output}")
            state = states[name]
            _check_fits(given, TensorSpec(name, state.dtype, state.shape), f"{use.name}.{output}")

    def _check_tokens(self) -> None:
        for use in self.flow.graphs:
            if (token := use.token) is None:
                continue
            scores = self.output(f"{use.name}.{token.scores}")
            if scores.dtype != "float32" or math.prod(scores.shape) != _width(scores):
                raise ValueError(
                    f"token {token.name!r} is drawn from {scores.dtype}{list(scores.shape)}; it needs one "
                    "row of float32 scores"
                )
            if max(token.top_k, (token.start or 0) + 1) > _width(scores):
                raise ValueError(
                    f"token {token.name!r} has top_k {token.top_k} and start {token.start} but "
                    f"{_width(scores)} values; lower them"
                )
        if self.flow.stop is not None and self.flow.stop.token is not None:
            _known("token", self.flow.stop.token, self.drawn_from)
            if not 0 <= (self.flow.stop.value or 0) < self.n_values(self.flow.stop.token):
                raise ValueError(
                    f"the stop waits for value {self.flow.stop.value} of token {self.flow.stop.token!r}, "
                    f"which has {self.n_values(self.flow.stop.token)}; it would never end"
                )


def _check_result(result: Result, joins: _Joins) -> None:
    if isinstance(result, (Text, Notes)):
        _known("token", result.token, joins.drawn_from)
        words = len(result.words) if isinstance(result, Text) else _NOTE_CONTROLS + result.pitches
        _same("values of the token", joins.n_values(result.token), f"result {step_name(result)!r}", words)
        return
    for text, shape in _shapes(result):
        spec = joins.output(text)
        if len(spec.shape) != len(shape) or any(
            wanted is not None and side != wanted for side, wanted in zip(spec.shape, shape, strict=True)
        ):
            wanted = ", ".join("any" if side is None else str(side) for side in shape)
            raise ValueError(
                f"result {step_name(result)!r} reads {text}, which is {list(spec.shape)}; it needs [{wanted}]"
            )
        if spec.dtype != "float32":
            raise ValueError(
                f"result {step_name(result)!r} reads {text}, which is {spec.dtype}; it needs float32"
            )


def _shapes(result: Result) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    """Yield the tensors that a result reads, and the sides they must have; ``None``: any."""
    if isinstance(result, Labels):
        yield result.scores, (1, len(result.classes) or None)
    elif isinstance(result, Mask):
        classes = len(result.classes)
        yield (
            result.scores,
            (1, classes, None, None) if result.layout == "nchw" else (1, None, None, classes),
        )
    elif isinstance(result, Boxes):
        yield result.boxes, (1, None, 4)
        yield result.scores, (1, None, len(result.classes))
    elif isinstance(result, Keypoints):
        yield result.heatmaps, (1, len(result.points), None, None)
    elif isinstance(result, Embedding):
        yield result.vector, (1, None)
    elif isinstance(result, Picture):
        channels = len(result.mean)
        yield (
            result.pixels,
            (1, channels, None, None) if result.layout == "nchw" else (1, None, None, channels),
        )


def _known(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        some = ", ".join(itertools.islice(known, _SHOWN)) + ", ..." * (len(known) > _SHOWN)
        raise ValueError(f"{what} {name!r} is not there; there is: {some or 'none'}")


def _width(spec: TensorSpec) -> int:
    """Return how many values a row of it has; a single number has no axis."""
    return spec.shape[-1] if spec.shape else 1


def _same(what: str, got: int, who: str, wanted: int) -> None:
    if got != wanted:
        raise ValueError(f"{got} {what}, but {who} has {wanted}; make them as many")


def _check_fits(given: TensorSpec, wanted: TensorSpec, what: str) -> None:
    if (given.dtype, given.shape) != (wanted.dtype, wanted.shape):
        raise ValueError(
            f"{what} is {given.dtype}{list(given.shape)}, but {wanted.name!r} is {wanted.dtype}"
            f"{list(wanted.shape)}; export graphs that fit"
        )


def _check_row(spec: TensorSpec, n_values: int, where: str, text: str) -> None:
    """A number enters as one integer, or as a row of floats with a 1 at its place."""
    size = math.prod(spec.shape)
    is_number = spec.dtype in ("int32", "int64") and size == 1
    is_row = spec.dtype == "float32" and size == spec.shape[-1] == n_values if spec.shape else False
    if not (is_number or is_row):
        raise ValueError(
            f"{where} is {spec.dtype}{list(spec.shape)}, but {text!r} has {n_values} values; it needs one "
            f"integer or a row of {n_values} float32"
        )
