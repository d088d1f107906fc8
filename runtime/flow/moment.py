"""One frame of a flow while it runs: what its graphs gave so far, and what the next one takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from runtime.bundle import Graph, TensorSpec
from runtime.bundle.flow import Flow, FlowGraph, Stop
from runtime.bundle.source import parse_source
from runtime.extras import require
from runtime.flow.sampler import Sampler

if TYPE_CHECKING:
    import numpy as np

RunGraph = Callable[[str, "list[np.ndarray]"], "Sequence[np.ndarray]"]


def steps_of(stop: Stop, count: int | None) -> int:
    """Return how many steps a frame may have.

    Args:
        count: what the user asks for; ``None``: the flow's own.

    Raises:
        ValueError: nothing is counted, or the count lies beyond the limit.
    """
    if stop.count is None:
        if count is not None:
            raise ValueError(f"{count} is counted, but this flow counts nothing; leave the count out")
        return stop.most_steps
    wanted = stop.default_count if count is None else count
    most = stop.most_steps // stop.steps_per_count
    if not 1 <= wanted <= most:
        raise ValueError(f"{wanted} {stop.count} are asked for; this flow makes 1 to {most}: ask for as many")
    return wanted * stop.steps_per_count


class Moment:
    """What is known within one frame.

    Args:
        states: by name; what graphs feed back replaces them.
        values: what inputs join as ``pre:NAME`` and ``file:NAME``, under these names.
        references: outputs of the graphs that ran before, on the reference.
        seed: of the draws.
        forced: token -> all that it is to draw, instead of what is drawn by seed.

    Attributes:
        outputs: ``GRAPH.OUTPUT`` -> array, of each graph's last run.
        draws: token -> what was drawn so far.
        scores: token -> what each of its forced draws would have been drawn from, rows of shape (n,).
        samplers: token -> what draws it.
    """

    def __init__(
        self,
        flow: Flow,
        graphs: Mapping[str, Graph],
        run: RunGraph,
        states: dict[str, np.ndarray],
        values: Mapping[str, np.ndarray],
        references: Mapping[str, np.ndarray],
        seed: int,
        forced: Mapping[str, Sequence[int]] | None = None,
    ):
        self._forced = forced
        self.scores: dict[str, list[np.ndarray]] = {token.name: [] for token in flow.tokens}
        self._flow, self._graphs, self._run = flow, graphs, run
        self._states, self._values = states, values
        self._constants = {one.name: one for one in flow.constants}
        self.outputs = dict(references)
        self.draws: dict[str, list[int]] = {token.name: [] for token in flow.tokens}
        self.samplers = {token.name: Sampler(seed, stream) for stream, token in enumerate(flow.tokens)}

    def run_steps(self, uses: Sequence[FlowGraph], stop: Stop, count: int | None) -> int:
        """Run the graphs of the steps until the stop, and return how many steps there were."""
        most = steps_of(stop, count) if self._forced is None else self._forced_steps(uses, self._forced)
        for step in range(most):
            for use in uses:
                if step % use.every:
                    continue
                self.run(use, step // use.every)
                if use.token is None or use.token.name != stop.token:
                    continue
                if self.draws[use.token.name][-1] == stop.value:
                    return step + 1
        return most

    def run(self, use: FlowGraph, number: int) -> None:
        """Run one graph for the ``number``-th time in this frame, and keep what it gives."""
        graph = self._graphs[use.name]
        inputs = [self._input(spec, use.inputs[spec.name], number) for spec in graph.inputs]
        arrays = self._run(use.name, inputs)
        for spec, array in zip(graph.outputs, arrays, strict=True):
            self.outputs[f"{use.name}.{spec.name}"] = array
            if spec.name in use.states:
                self._states[use.states[spec.name]] = _fitting(array, spec, f"state of {spec.name!r}")
        if (token := use.token) is not None:
            scores, drawn = self.outputs[f"{use.name}.{token.scores}"], self.draws[token.name]
            if self._forced is not None:
                self.scores[token.name].append(scores.reshape(-1))
                drawn.append(int(self._forced[token.name][len(drawn)]))
                return
            sampler = self.samplers[token.name]
            drawn.append(sampler.draw(scores, temperature=token.temperature, top_k=token.top_k))

    def _forced_steps(self, uses: Sequence[FlowGraph], forced: Mapping[str, Sequence[int]]) -> int:
        """Return how many steps the forced draws are for."""
        drawing = [(use.token.name, use.every) for use in uses if use.token is not None]
        given = {name: len(forced.get(name, ())) for name, _ in drawing}
        most = max(((given[name] - 1) * every + 1 for name, every in drawing if given[name]), default=0)
        for name, every in drawing:
            if given[name] != (due := -(-most // every)):
                raise ValueError(
                    f"token {name!r} is given {given[name]} numbers for {most} steps; give {due}"
                )
        return most

    def _input(self, spec: TensorSpec, text: str, number: int) -> np.ndarray:
        np = require("numpy", extra="images")
        source, flow = parse_source(text), self._flow
        if source.kind == "graph":
            return self.outputs[text]
        if source.kind == "state":
            return self._states[source.name]
        if source.kind == "position":
            return _row(spec, number % source.number)
        if source.kind == "token":
            drawn = self.draws[source.name]
            start = next(one.start for one in flow.tokens if one.name == source.name)
            return _row(spec, drawn[-source.number] if len(drawn) >= source.number else start)
        if source.kind == "constant":
            one = self._constants[source.name]
            return np.asarray(one.values, dtype=one.dtype).reshape(one.shape)
        if text not in self._values:
            raise ValueError(f"input {spec.name!r} takes {text}, which is not given; give it")
        return _fitting(self._values[text], spec, text)


def _row(spec: TensorSpec, value: int | None) -> np.ndarray:
    """Return a number as the one integer of an input, or as a row with a 1 at its place; ``None``: zeros."""
    np = require("numpy", extra="images")
    row = np.zeros(spec.shape, dtype=spec.dtype)
    if spec.dtype == "float32" and value is not None:
        row.reshape(-1)[value] = 1
    elif value is not None:
        row[...] = value
    return row


def _fitting(array: np.ndarray, spec: TensorSpec, what: str) -> np.ndarray:
    if array.shape != spec.shape:
        raise ValueError(f"{what} has shape {array.shape}, {spec.name!r} is {spec.shape}; give that shape")
    return array
