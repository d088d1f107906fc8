"""One frame of a flow after the other on loaded graphs, each part of it timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.bundle import Bundle, TaskSpec
from runtime.bundle.result import Embedding
from runtime.errors import DataError
from runtime.flow.given import Loaded, enter, load_given, wanted
from runtime.flow.runner import FlowFrame, FlowRunner
from runtime.flow.sessions import GraphSessions
from runtime.flow.times import FrameTimes
from runtime.processing.results.decode import decode
from runtime.processing.results.decoded import Decoded, Frame

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


@dataclass(frozen=True)
class TimedFrame:
    """One frame and what its parts took.

    Attributes:
        picture: the upright original; ``None`` where arrays were given.
    """

    picture: Image.Image | None
    frame: FlowFrame
    decoded: Decoded
    times: FrameTimes


class FlowWork:
    """Frames of one flow on the graphs that are loaded.

    Args:
        count, seed: see ``FlowRunner.frame``.

    Attributes:
        runner: that keeps states and references.
        reference_ms: what the references took.
    """

    def __init__(
        self,
        bundle: Bundle,
        task: TaskSpec,
        sessions: GraphSessions[Any],
        *,
        count: int | None = None,
        seed: int = 0,
    ):
        graphs = bundle.manifest.graphs
        self._task, self._sessions = task, sessions
        self._count, self._seed = count, seed
        self._needs = wanted(task.flow, graphs)
        self._reference_needs = wanted(task.flow, graphs, reference=True)
        self._labels = bundle.labels()
        self._references: dict[str, np.ndarray] = {}
        self.runner = FlowRunner(task.flow, graphs, sessions.run)
        self.reference_ms = 0.0

    def refer(self, paths: Sequence[Path], box: Sequence[float] | None = None) -> None:
        """Run what is done once per reference: its own graphs, or for an embedding those of a frame.

        Raises:
            DataError: a reference is missing or not wanted, or cannot be read.
        """
        flow = self._task.flow
        has_graphs = any(use.when == "reference" for use in flow.graphs)
        is_gallery = isinstance(self._task.result, Embedding) and not has_graphs
        if has_graphs and len(paths) != 1:
            raise DataError(f"{len(paths)} references are given, one is needed; give --reference once")
        if paths and not has_graphs and not is_gallery:
            raise DataError("this bundle compares with no reference; leave --reference out")
        for path in paths:
            needs = self._needs if is_gallery else self._reference_needs
            given = enter(load_given(path, needs, flow), needs, flow, box)
            if isinstance(self._task.result, Embedding) and is_gallery:
                frame = self.runner.frame(given.values)
                self._references[path.name] = frame.outputs[self._task.result.vector][0]
            else:
                self.runner.refer(given.values)
        self.reference_ms = sum(map(sum, self._sessions.take_times().values()))

    def refer_to(self, loaded: Loaded, box: Sequence[float] | None = None) -> None:
        """Run the graphs of the reference on what was loaded; see ``frame``."""
        self.runner.refer(enter(loaded, self._reference_needs, self._task.flow, box).values)
        self.reference_ms = sum(map(sum, self._sessions.take_times().values()))

    def frame(self, loaded: Loaded, box: Sequence[float] | None = None) -> TimedFrame:
        """Run one frame: pre-step, graphs, post-step.

        Args:
            loaded: of ``runtime.flow.given.load_given``, or a picture that is at hand.
            box: left, top, right, bottom in pixels of the upright picture, where the pre-step needs one.

        Raises:
            DataError: a box is missing or wrong, or a tensor is no number.
        """
        return self._frame(loaded, box, self._count)

    def warm_up(self, loaded: Loaded, box: Sequence[float] | None = None) -> None:
        """Run a frame that nothing remembers, of a flow that counts one count: the first fills caches."""
        stop = self._task.flow.stop
        self._frame(loaded, box, None if stop is None or stop.count is None else 1)
        self.runner.reset()

    def _frame(self, loaded: Loaded, box: Sequence[float] | None, count: int | None) -> TimedFrame:
        task = self._task
        begin = time.perf_counter()
        given = enter(loaded, self._needs, task.flow, box)
        pre_ms = (time.perf_counter() - begin) * 1e3
        frame = self.runner.frame(given.values, count=count, seed=self._seed)
        graphs_ms = self._sessions.take_times()
        begin = time.perf_counter()
        tensors = Frame(frame.outputs, frame.draws, given.placement, self._labels, self._references)
        decoded = decode(task.result, tensors)
        post_ms = (time.perf_counter() - begin) * 1e3
        return TimedFrame(given.picture, frame, decoded, FrameTimes(pre_ms, graphs_ms, post_ms))
