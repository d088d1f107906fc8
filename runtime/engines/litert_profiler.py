"""LiteRT with its profiler on: every op outside the delegate, and XNNPACK's own ops inside.

The interpreter of Python has no profiler, so this loads the file through LiteRT's C interface:
the same kernels, and the same latency.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version
from itertools import count
from typing import TYPE_CHECKING

from runtime.engines.array import Array, size_bytes_of
from runtime.engines.engine import PROFILED_ENGINES, OpEvent, Spec
from runtime.engines.litert import LiteRt
from runtime.engines.litert_c import CompiledModel, Event
from runtime.engines.tflite_graph import read_tflite
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
        self.partitions = LiteRt(path, graph, threads=1).plan().partitions
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


def _frame(events: list[tuple[str, Event]]) -> tuple[int, list[OpEvent]]:
    """Return ns and ops of one run; XNNPACK numbers the ops of each delegate call from 0."""
    wholes = [event for tag, event in events if tag == _INVOKE and event.kind == _LITERT]
    if len(wholes) != 1:
        raise DeviceStableError(f"the profile of one frame holds {len(wholes)} of them")
    ops: list[OpEvent] = []
    calls, delegate, now_us = count(), None, 0
    for tag, event in events:
        if event.kind == _INSIDE:
            if event.index == 0:
                delegate = next(calls)
            ops.append(_op(tag, delegate, now_us, event, "XNNPACK profiler"))
        elif event.kind == _OUTSIDE:
            now_us = max(now_us, event.start_us - wholes[0].start_us)
            ops.append(_op(tag, None, now_us, event, "LiteRT profiler", event.index))
        else:
            continue
        now_us += event.elapsed_us
    return wholes[0].elapsed_us * 1000, ops


def _op(
    tag: str, delegate: int | None, start_us: int, event: Event, source: str, index: int | None = None
) -> OpEvent:
    return OpEvent(tag, delegate, start_us * 1000, event.elapsed_us * 1000, source, index)
