"""LiteRT with its profiler on: every op outside the delegate, and XNNPACK's own ops inside.

The interpreter of Python has no profiler, so this loads the file through LiteRT's C interface:
the same kernels, and the same latency.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.bundle.staging import staged_until_exit
from runtime.device.meters.memory import begin_load
from runtime.engines.array import Array, size_bytes_of
from runtime.engines.engine import PROFILED_ENGINES, OpEvent, Spec
from runtime.engines.litert import LiteRt
from runtime.engines.litert_c import CompiledModel, Event
from runtime.engines.tflite_graph import read_tflite
from runtime.engines.tflite_kinds import CONTROL_FLOW
from runtime.engines.tflite_sizes import SHAPE, write_with_constant_sizes
from runtime.errors import DeviceStableError

if TYPE_CHECKING:
    import numpy as np

_OUTSIDE, _INSIDE = 2, 8  # OPERATOR_INVOKE_EVENT, DELEGATE_PROFILED_OPERATOR_INVOKE_EVENT
_INVOKE = "Invoke"
_LITERT = 1  # DEFAULT: steps of LiteRT itself


@PROFILED_ENGINES.register("litert")
class ProfiledLiteRt:
    """One compiled model; ``graph`` is always the main one."""

    def __init__(self, path: str, graph: str, threads: int):
        file = read_tflite(path)  # first: it says so where there is only tflite_runtime, without a profiler
        self.version = f"ai-edge-litert {version('ai-edge-litert')}"
        self.inputs: tuple[Spec, ...] = tuple((spec.name, spec.dtype, spec.shape) for spec in file.inputs)
        self.outputs: tuple[Spec, ...] = tuple((spec.name, spec.dtype, spec.shape) for spec in file.outputs)
        if SHAPE in file.op_counts:
            copy = staged_until_exit() / Path(path).name
            write_with_constant_sizes(Path(path), copy)
            path = str(copy)
        self.partitions = LiteRt(path, graph, threads=1).plan().partitions
        self.held_bytes = begin_load()
        start_ns = time.perf_counter_ns()
        self._model = CompiledModel(path, threads)
        self.load_ns = time.perf_counter_ns() - start_ns
        self._frames: list[tuple[int, list[OpEvent]]] = []

    def set_inputs(self, inputs: Sequence[np.ndarray]) -> None:
        for (name, _, _), values in zip(self.inputs, inputs, strict=True):
            self._model.write(name, Array.of(values).data)

    def invoke(self) -> None:
        self._model.run()

    def get_outputs(self) -> list[np.ndarray]:
        sizes = [size_bytes_of(dtype, shape) for _, dtype, shape in self.outputs]
        return [
            Array(dtype, shape, self._model.read(name, size_bytes)).numpy()
            for (name, dtype, shape), size_bytes in zip(self.outputs, sizes, strict=True)
        ]

    def pool_size(self, extra_threads: int) -> int:
        return extra_threads + 1

    def begin_frame(self) -> None:
        self._model.start_profiler()  # frame by frame: its buffer drops what is too much

    def end_frame(self) -> None:
        self._frames.append(_frame(self._model.stop_profiler()))

    def take_frames(self) -> list[tuple[int, list[OpEvent]]]:
        frames, self._frames = self._frames, []
        return frames


class _Frame:
    """Puts the events of one run together; XNNPACK numbers the ops of each delegate call from 0."""

    def __init__(self, begin_us: int):
        self._begin_us, self._now_us = begin_us, 0
        self._ops: dict[tuple[object, ...], OpEvent] = {}
        self._calls: dict[int, int] = {}  # delegate calls so far of each graph that runs
        self._open: list[tuple[int, tuple[object, ...]]] = []  # ops that run others: when each ends, its key

    def take(self, tag: str, event: Event) -> None:
        """Add an event: an op, or the start of a body of control flow."""
        graph = event.detail
        if event.kind == _INSIDE:
            if event.index == 0:
                self._calls[graph] = self._calls.get(graph, -1) + 1
            self._add(tag, event, self._calls.get(graph, 0), "XNNPACK profiler")
        elif event.kind == _OUTSIDE:
            self._advance(event)
            key = self._add(tag, event, None, "LiteRT profiler")
            self._open.append((event.start_us + event.elapsed_us, key))
        elif tag == _INVOKE and event.kind == _LITERT:
            self._advance(event)
            self._calls[graph] = -1
            if graph != 0 and self._open:  # its ops are listed by themselves
                caller = self._ops[self._open[-1][1]]
                own_ns = max(0, caller.duration_ns - event.elapsed_us * 1000)
                self._ops[self._open[-1][1]] = replace(caller, duration_ns=own_ns)

    def ops(self) -> list[OpEvent]:
        """Return the ops in the order in which they first ran."""
        return list(self._ops.values())

    def _advance(self, event: Event) -> None:
        self._now_us = max(self._now_us, event.start_us - self._begin_us)
        while self._open and self._open[-1][0] <= event.start_us:
            self._open.pop()

    def _add(self, tag: str, event: Event, delegate: int | None, source: str) -> tuple[object, ...]:
        graph, duration_ns = event.detail, event.elapsed_us * 1000
        key = (graph, delegate, event.index, tag)
        known = self._ops.get(key)
        if known is None:
            index = event.index if delegate is None else None
            start_ns = self._now_us * 1000
            self._ops[key] = OpEvent(tag, delegate, start_ns, duration_ns, source, index, graph)
        else:
            self._ops[key] = replace(known, duration_ns=known.duration_ns + duration_ns)
        if not (delegate is None and tag in CONTROL_FLOW):
            self._now_us += event.elapsed_us
        return key


def _frame(events: list[tuple[str, Event]]) -> tuple[int, list[OpEvent]]:
    """Return ns and ops of one run."""
    wholes = [
        event for tag, event in events if tag == _INVOKE and event.kind == _LITERT and event.detail == 0
    ]
    if len(wholes) != 1:
        raise DeviceStableError(f"the profile of one frame holds {len(wholes)} of them")
    frame = _Frame(wholes[0].start_us)
    for tag, event in events:
        frame.take(tag, event)
    return wholes[0].elapsed_us * 1000, frame.ops()
