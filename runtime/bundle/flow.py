"""A task's flow: which graphs make a result, when each runs and where its inputs come from. Plain data."""

from __future__ import annotations

import math
from collections import Counter
from typing import Literal

import msgspec

from runtime.bundle.prestep import PreStep
from runtime.bundle.source import parse_source
from runtime.bundle.tensors import check_sides

MOST_STEPS = 1 << 16
_MOST_GRAPHS = 64  # each is loaded in a process of its own
_MOST_VALUES = 1 << 24  # of all states: 64 MB as float32, which a board can still keep
_MOST_CONSTANT = 1 << 16  # values written into a manifest

When = Literal["reference", "frame", "step"]
Dtype = Literal["float32", "int32", "int64"]
# Values are read as float64, of which the largest below 2^63 is 2^63 - 1024.
_RANGES: dict[str, tuple[float, float]] = {
    "float32": (-3.4028234663852886e38, 3.4028234663852886e38),
    "int32": (-(2.0**31), 2.0**31 - 1),
    "int64": (-(2.0**63), 2.0**63 - 1024),
}


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tensor kept between runs; all zeros before the first."""

    name: str
    shape: tuple[int, ...]
    dtype: Dtype = "float32"

    def __post_init__(self) -> None:
        _check_shape(f"state {self.name!r}", self.shape, _MOST_VALUES)

    @property
    def size(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)


class Constant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tensor that the flow itself holds; ``values`` run along the last axis fastest."""

    name: str
    shape: tuple[int, ...]
    values: tuple[float, ...]
    dtype: Dtype = "float32"

    def __post_init__(self) -> None:
        _check_shape(f"constant {self.name!r}", self.shape, _MOST_CONSTANT)
        if math.prod(self.shape) != len(self.values):
            raise ValueError(
                f"constant {self.name!r} of shape {self.shape} has {len(self.values)} values; it needs "
                f"{math.prod(self.shape)}: write each of them"
            )
        low, high = _RANGES[self.dtype]
        is_whole = self.dtype != "float32"
        if not all(low <= value <= high and not (is_whole and value % 1) for value in self.values):
            raise ValueError(f"constant {self.name!r} has a value that is no {self.dtype}; give another type")


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number drawn from the scores that a step graph gives, after each of its runs.

    An input joined to it takes the number itself where it is one integer, and a row with a 1 at its place
    where it is a row of floats.

    Attributes:
        scores: the graph's output: a row of logits, shape (1, n) or (n,).
        temperature: that the logits are divided by; 0 takes the largest.
        top_k: draw among so many of the largest; 0: among all.
        start: stands for the draws before the first; ``None``: a row of zeros, or 0.
    """

    name: str
    scores: str
    temperature: float = 1.0
    top_k: int = 0
    start: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 100 or self.top_k < 0 or (self.start or 0) < 0:
            raise ValueError(
                f"token {self.name!r} has temperature {self.temperature}, top_k {self.top_k}, start "
                f"{self.start}; allowed: a temperature from 0 to 100, and whole numbers from 0"
            )


class FlowGraph(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One graph of the bundle within the flow.

    Attributes:
        name: a key of the manifest's graphs.
        when: ``reference``: once per reference (gallery, exemplar) and then kept; ``frame``: once per frame;
            ``step``: again and again within a frame until the flow stops.
        inputs: for each of the graph's inputs where it comes from, see ``runtime.bundle.source``.
        states: output -> name of the state that it becomes.
        token: drawn from one of the outputs after each run; of a step graph.
        every: a step graph runs at each step that this divides: 16 runs it once a bar of sixteenths.
    """

    name: str
    when: When = "frame"
    inputs: dict[str, str] = {}
    states: dict[str, str] = {}
    token: Token | None = None
    every: int = 1

    def __post_init__(self) -> None:
        for text in self.inputs.values():
            parse_source(text)
        if self.when != "step" and (self.token is not None or self.every != 1):
            raise ValueError(
                f"graph {self.name!r} runs once per {self.when} but has a token or 'every'; only graphs that "
                "run once per step have these: leave them out, or set when to 'step'"
            )
        if not 1 <= self.every <= MOST_STEPS:
            raise ValueError(f"graph {self.name!r} runs every {self.every} steps; allowed: 1 to {MOST_STEPS}")


class Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a flow's steps end: at the first of these.

    Attributes:
        most_steps: the limit, which no user can pass.
        token, value: end when this token is drawn with this value.
        count: what the user counts, such as ``bars``; ``None``: the user sets no count.
        steps_per_count: a bar of sixteenths has 16.
        default_count: where the user says nothing.
    """

    most_steps: int
    token: str | None = None
    value: int | None = None
    count: str | None = None
    steps_per_count: int = 1
    default_count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.most_steps <= MOST_STEPS:
            raise ValueError(f"most_steps is {self.most_steps}; allowed: 1 to {MOST_STEPS}")
        if (self.token is None) != (self.value is None):
            raise ValueError("a stop at a token needs both 'token' and 'value'; give both, or neither")
        if self.count is not None and not self.count.isidentifier():
            raise ValueError(f"count is {self.count!r}; it must be one word, such as 'bars'")
        least = min(self.steps_per_count, self.default_count)
        if least < 1 or self.steps_per_count * self.default_count > self.most_steps:
            raise ValueError(
                f"{self.default_count} counts of {self.steps_per_count} steps do not lie between 1 and "
                f"most_steps {self.most_steps}; change one of them"
            )


class Flow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From what the user gives to the tensors of a result.

    Attributes:
        graphs: in the order in which they run.
        pre: makes the values that inputs join as ``pre:NAME``.
        states, constants: that inputs join by name.
        stop: where steps end; needed where a graph runs once per step.

    Example:
        >>> Flow((FlowGraph("forward", inputs={"image": "pre:image"}),), pre=TanhWarp())  # doctest: +SKIP
    """

    graphs: tuple[FlowGraph, ...]
    pre: PreStep | None = None
    states: tuple[State, ...] = ()
    constants: tuple[Constant, ...] = ()
    stop: Stop | None = None

    def __post_init__(self) -> None:
        if not self.graphs:
            raise ValueError("a flow without graphs makes no result; name at least one graph")
        if len(self.graphs) > _MOST_GRAPHS:
            raise ValueError(f"a flow of {len(self.graphs)} graphs; at most {_MOST_GRAPHS} are allowed")
        if (values := sum(state.size for state in self.states)) > _MOST_VALUES:
            raise ValueError(f"the states have {values} values; at most {_MOST_VALUES} are allowed")
        for what, named in (
            ("graph", self.graphs),
            ("state", self.states),
            ("constant", self.constants),
            ("token", self.tokens),
        ):
            for name, times in Counter(one.name for one in named).most_common(1):
                if times > 1:
                    raise ValueError(f"{what} {name!r} is there twice; give each a name of its own")
        steps = [graph.name for graph in self.graphs if graph.when == "step"]
        if steps and self.stop is None:
            raise ValueError(f"graph {steps[0]!r} runs once per step and nothing ends the steps; add a stop")
        order = [("reference", "frame", "step").index(graph.when) for graph in self.graphs]
        if order != sorted(order):
            raise ValueError("graphs must stand in the order reference, frame, step; sort them so")

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token that is drawn, in the order of its graph."""
        return tuple(graph.token for graph in self.graphs if graph.token is not None)


def _check_shape(what: str, shape: tuple[int, ...], most: int) -> None:
    check_sides(f"shape of {what}", shape)
    if math.prod(shape) > most:
        raise ValueError(f"{what} has shape {shape}; at most {most} values are allowed")
