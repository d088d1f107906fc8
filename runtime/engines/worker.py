"""The process in which one model runs: ``python -m runtime.engines.worker``.

One process per model, because engines keep one thread pool per process, pools inherit the
affinity of the moment they are born, and several ExecuTorch programs in one process have
crashed. Requests come on stdin, answers go to what was stdout; see ``messages``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import BinaryIO

from runtime.device.actuators.affinity import allowed_cpus, pin
from runtime.engines import (  # noqa: F401  (each registers its engine)
    executorch,
    executorch_profiler,
    litert,
    litert_profiler,
)
from runtime.engines.array import Array
from runtime.engines.engine import ENGINES, PROFILED_ENGINES, Engine, ProfiledEngine
from runtime.engines.messages import (
    FramesProfiled,
    Load,
    Loaded,
    Message,
    Planned,
    ProfileFrames,
    Ran,
    ReadPlan,
    Run,
    Sample,
    Sampled,
    WorkerFailed,
    read_message,
    write_message,
)
from runtime.engines.pacing import WallTime, released
from runtime.errors import EdgekitError, MissingExtra


class Worker:
    """Answers requests about one model."""

    def __init__(self) -> None:
        self._threads_before = _count_threads()
        self._engine: Engine | None = None
        self._profiled: ProfiledEngine | None = None
        self._is_cold = True

    def answer(self, request: Message) -> Message:
        """Do what is asked; every error of ours becomes ``WorkerFailed``."""
        try:
            if isinstance(request, Load):
                return self._load(request)
            if isinstance(request, Run):
                return self._run(request)
            if isinstance(request, Sample):
                return self._sample(request)
            if isinstance(request, ProfileFrames):
                return self._profile(request)
            if isinstance(request, ReadPlan):
                return self._plan()
        except MissingExtra as err:
            return WorkerFailed(str(err), missing_extra=True)
        except (EdgekitError, RuntimeError, ValueError, OSError, ImportError) as err:
            return WorkerFailed(str(err) or type(err).__name__)
        return WorkerFailed(f"{type(request).__name__} is not a request")

    def _load(self, request: Load) -> Message:
        if request.cpus is not None:
            pin(request.cpus)  # before the engine exists: its pool inherits this
        if request.with_profiler:
            factory = PROFILED_ENGINES.get(request.engine)
            self._engine = self._profiled = factory(request.path, request.graph, request.threads)
        else:
            self._engine = ENGINES.get(request.engine)(request.path, request.graph, request.threads)
        engine = self._engine
        return Loaded(
            engine.inputs,
            engine.outputs,
            allowed_cpus(),
            engine.version,
            engine.load_ns,
            engine.held_bytes,
        )

    def _run(self, request: Run) -> Message:
        engine = self._loaded()
        engine.set_inputs([array.numpy() for array in request.inputs])
        latency_ns = _timed_ns(engine)
        self._is_cold = False
        outputs = engine.get_outputs() if request.want_outputs else []
        return Ran(latency_ns, tuple(map(Array.of, outputs)))

    def _sample(self, request: Sample) -> Message:
        engine = self._loaded()
        engine.set_inputs([array.numpy() for array in request.inputs])
        first_ns = _timed_ns(engine) if self._is_cold else None
        self._is_cold = False
        for _ in range(request.warmup):
            engine.invoke()
        frames = released(request.runs, 1e9 / request.period_ns if request.period_ns else None, WallTime())
        latencies_ns = tuple(_timed_ns(engine) for _ in frames)
        return Sampled(first_ns, latencies_ns, engine.pool_size(_count_threads() - self._threads_before))

    def _profile(self, request: ProfileFrames) -> Message:
        engine = self._profiled
        if engine is None:
            raise ValueError("the model was loaded without its profiler; load it with_profiler")
        engine.set_inputs([array.numpy() for array in request.inputs])
        for _ in range(request.warmup):
            engine.invoke()
        self._is_cold = False
        for _ in range(request.runs):
            engine.begin_frame()
            engine.invoke()
            engine.end_frame()
        recorded = engine.take_frames()
        latencies_ns = tuple(latency_ns for latency_ns, _ in recorded)
        return FramesProfiled(latencies_ns, tuple(tuple(ops) for _, ops in recorded), engine.partitions)

    def _plan(self) -> Message:
        engine = self._loaded()
        if not isinstance(engine, litert.LiteRt):
            raise ValueError("only LiteRT decides when it loads a file which ops its delegate runs")
        return Planned(engine.plan())

    def _loaded(self) -> Engine:
        if self._engine is None:
            raise ValueError("no model is loaded yet")
        return self._engine


def _timed_ns(engine: Engine) -> int:
    start_ns = time.perf_counter_ns()
    engine.invoke()
    return time.perf_counter_ns() - start_ns


def _count_threads() -> int:
    return len(os.listdir("/proc/self/task"))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer every request until the owner closes the pipe."""
    worker = Worker()
    while (request := read_message(requests)) is not None:
        write_message(answers, worker.answer(request))


def main() -> None:
    """Run the worker; engines that print to stdout are sent to stderr, off the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's; it closes the pipe
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
