"""A flow's graphs in turn: inputs joined by name, states fed back, tokens drawn, steps until the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runtime.bundle import Graph
from runtime.bundle.flow import Flow, FlowGraph
from runtime.extras import require
from runtime.flow.moment import Moment, RunGraph

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class FlowFrame:
    """What came of one frame.

    Attributes:
        outputs: ``GRAPH.OUTPUT`` -> array, of each graph's last run.
        draws: token -> what was drawn, in order.
        steps: how many there were.
        closest: how near a draw came to being another, see ``runtime.flow.sampler``; 1 without draws.
        scores: token -> what its draws were forced against, shape (runs, n); empty where nothing was forced.
    """

    outputs: Mapping[str, np.ndarray]
    draws: Mapping[str, tuple[int, ...]]
    steps: int
    closest: float
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)


class FlowRunner:
    """Runs a flow over graphs that somebody else runs: a session's, or eager ones.

    Args:
        flow: checked against ``graphs`` (``runtime.bundle.joins``).
        graphs: of the manifest.
        run: a graph's name and its inputs in order -> its outputs in order.

    Example:
        >>> runner = FlowRunner(task.flow, manifest.graphs, run)      # doctest: +SKIP
        >>> runner.frame({"pre:image": image}).outputs["forward.y"]   # doctest: +SKIP
    """

    def __init__(self, flow: Flow, graphs: Mapping[str, Graph], run: RunGraph):
        self._flow, self._graphs, self._run = flow, graphs, run
        self._references: dict[str, np.ndarray] = {}
        self._fed_by_steps = {name for use in self._uses("step") for name in use.states.values()}
        self._states: dict[str, np.ndarray] = {}
        self.reset()

    def reset(self) -> None:
        """Forget what earlier frames left in the states: another video begins."""
        self._zero({state.name for state in self._flow.states})

    def refer(self, values: Mapping[str, np.ndarray]) -> None:
        """Run the graphs of the reference once; their outputs are kept for all frames that follow.

        Args:
            values: as in ``frame``.
        """
        moment = self._moment(values, {}, 0)
        for use in self._uses("reference"):
            moment.run(use, 0)
        self._references = moment.outputs

    def frame(
        self,
        values: Mapping[str, np.ndarray],
        *,
        count: int | None = None,
        seed: int = 0,
        forced: Mapping[str, Sequence[int]] | None = None,
    ) -> FlowFrame:
        """Run one frame.

        Args:
            values: what the graphs join as ``pre:NAME`` and ``file:NAME``, under these names.
            count: of what the flow's stop counts, such as bars; ``None``: as many as it says.
            seed: of the draws.
            forced: token -> numbers to take in place of draws, whose scores are kept: so a sequence that is
                known is scored. The steps end with them.

        Raises:
            ValueError: a value or the reference is missing, or of another shape; a count beyond the limit;
                forced numbers that are not as many as their graph runs.
            DataError: scores that nothing can be drawn from.
        """
        if self._uses("reference") and not self._references:
            raise ValueError("this flow compares with a reference, and none is given; give one first")
        self._zero(self._fed_by_steps)
        moment = self._moment(values, self._references, seed, forced)
        for use in self._uses("frame"):
            moment.run(use, 0)
        steps = 0
        if self._flow.stop is not None:
            steps = moment.run_steps(self._uses("step"), self._flow.stop, count)
        draws = {name: tuple(drawn) for name, drawn in moment.draws.items()}
        closest = min((one.closest for one in moment.samplers.values()), default=1.0)
        np = require("numpy", extra="images")
        scores = {name: np.stack(rows) for name, rows in moment.scores.items() if rows}
        return FlowFrame(moment.outputs, draws, steps, closest, scores)

    def _moment(
        self,
        values: Mapping[str, np.ndarray],
        references: Mapping[str, np.ndarray],
        seed: int,
        forced: Mapping[str, Sequence[int]] | None = None,
    ) -> Moment:
        return Moment(self._flow, self._graphs, self._run, self._states, values, references, seed, forced)

    def _uses(self, when: str) -> list[FlowGraph]:
        return [use for use in self._flow.graphs if use.when == when]

    def _zero(self, names: set[str]) -> None:
        np = require("numpy", extra="images")
        for state in self._flow.states:
            if state.name in names:
                self._states[state.name] = np.zeros(state.shape, state.dtype)
