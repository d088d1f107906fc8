"""The owner's side of a worker process that runs one model."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from runtime.bundle import TensorSpec
from runtime.bundle.tensors import MOST_AXES
from runtime.device.child import module_environment, wait_or_kill
from runtime.device.meters.memory import memory_use
from runtime.engines.array import ITEM_BYTES, Array, Tensor, size_bytes_of
from runtime.engines.ceilings import most_bytes
from runtime.engines.checked_file import checked_file
from runtime.engines.engine import Spec
from runtime.engines.framing import MOST_BYTES
from runtime.engines.messages import (
    FramesProfiled,
    Load,
    Loaded,
    Message,
    NoMessage,
    Planned,
    ProfileFrames,
    Ran,
    ReadPlan,
    Run,
    Sample,
    Sampled,
    WorkerFailed,
)
from runtime.engines.pte_program import planned_bytes
from runtime.engines.samples import Frame, ProfiledFrames, Samples
from runtime.engines.tflite_plan import ExecutionPlan
from runtime.engines.worker_program import choose_worker
from runtime.errors import DeviceError, DeviceStableError, DeviceTransientError, MissingExtra

A = TypeVar("A")
_CLOSE_S = 5.0
_LAST_WORDS = 300  # characters of the worker's stderr that an error quotes


class EngineProcess:
    """A model loaded in a process of its own.

    Args:
        engine: ``litert`` or ``executorch``.
        path: the model file.
        graph: its entry point.
        threads: size of the engine's pool.
        cpus: pin the process to these before anything is loaded; ``None`` leaves it free.
        with_profiler: load it so that ``profile`` works; frames are slower then.
        executorch: ``native`` or ``python``; default: see ``runtime.engines.worker_program``.
        sha256: that the file must have when it is loaded; ``None``: any.

    Raises:
        BundleError: the file has another ``sha256``.
        MissingExtra: the engine's package is not installed.
        DeviceStableError: the engine cannot load the file.

    Example:
        >>> with EngineProcess("litert", "model.tflite") as model:   # doctest: +SKIP
        ...     model.run(random_inputs(model.inputs)).latency_ms
    """

    def __init__(
        self,
        engine: str,
        path: str | Path,
        *,
        graph: str = "forward",
        threads: int = 1,
        cpus: Sequence[int] | None = None,
        with_profiler: bool = False,
        executorch: str | None = None,
        sha256: str | None = None,
    ):
        self._name = Path(path).name
        self._what = f"{self._name} on {engine}"
        self._worker = choose_worker(engine, executorch, cpus)
        with checked_file(path, sha256) as (self._path, files):
            self._start(files)
            try:
                pinned = None if cpus is None or self._worker.is_pinned else tuple(cpus)
                loaded = self._ask(Load(engine, self._path, graph, threads, pinned, with_profiler), Loaded)
                self.inputs, self.outputs = _specs(loaded.inputs), _specs(loaded.outputs)
            except ValueError as err:
                self.close()
                raise DeviceStableError(f"{self._what}: {err}") from err
            except BaseException:
                self.close()
                raise
            self._arena_bytes = planned_bytes(self._path, graph)
        self.cpus = tuple(cpus or ()) if self._worker.is_pinned else loaded.cpus
        self.version = loaded.version
        self._load_ms = None if loaded.load_ns is None else loaded.load_ns / 1e6
        self._held_bytes = loaded.held_bytes

    def _start(self, files: Sequence[int]) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed in close()
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                self._worker.command,
                stdin=pipe,
                stdout=pipe,
                stderr=self._stderr,
                env=_environment(),
                pass_fds=files,
            )
        except OSError as err:
            self._stderr.close()
            raise DeviceStableError(f"{self._what}: cannot start {self._worker.command[0]} ({err})") from err

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def run(self, inputs: Sequence[Tensor], *, want_outputs: bool = True) -> Frame:
        """Run one frame.

        Raises:
            ValueError: number, shape or dtype of ``inputs`` is not the model's.
            DeviceError: the engine failed or died.
        """
        answer = self._ask(Run(self._pack(inputs), want_outputs), Ran)
        if not all(array.is_whole for array in answer.outputs):
            raise self._nonsense("Run", "an output is not as long as its shape says")
        return Frame(answer.latency_ns / 1e6, answer.outputs if want_outputs else None)

    def sample(
        self, inputs: Sequence[Tensor], *, warmup: int, runs: int, fps: float | None = None
    ) -> Samples:
        """Time ``runs`` frames inside the worker, released at ``fps`` or back to back; raises as ``run``."""
        period_ns = 0 if fps is None else round(1e9 / fps)
        start_ns = time.monotonic_ns()
        answer = self._ask(Sample(self._pack(inputs), warmup, runs, period_ns), Sampled)
        if time.monotonic_ns() - start_ns < (runs - 1) * period_ns:
            raise DeviceStableError(
                f"{self._what}: {runs} frames came faster than the {fps:g} per second asked for; this worker "
                "knows no pace: build the runner again (edgekit runner)"
            )
        if len(answer.latencies_ns) != runs or not all(ns > 0 for ns in answer.latencies_ns):
            raise self._nonsense("Sample", f"{len(answer.latencies_ns)} latencies for {runs} frames")
        first_ms = None if answer.first_ns is None else answer.first_ns / 1e6
        samples_ms = tuple(ns / 1e6 for ns in answer.latencies_ns)
        memory = memory_use(self.pid, self._held_bytes, self._arena_bytes)
        return Samples(first_ms, samples_ms, answer.threads, load_ms=self._load_ms, memory=memory)

    def profile(self, inputs: Sequence[Tensor], *, warmup: int, runs: int) -> ProfiledFrames:
        """Run ``runs`` frames under the engine's profiler; raises as ``run``."""
        answer = self._ask(ProfileFrames(self._pack(inputs), warmup, runs), FramesProfiled)
        samples_ms = tuple(ns / 1e6 for ns in answer.latencies_ns)
        return ProfiledFrames(samples_ms, answer.frames, answer.partitions)

    def plan(self) -> ExecutionPlan:
        """Return which ops of a ``.tflite`` file the delegate runs; raises as ``run``."""
        return self._ask(ReadPlan(), Planned).plan

    def close(self) -> None:
        """End the worker: ask, wait a little, then kill."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # flushing into a dead worker
                if pipe is not None:
                    pipe.close()
        wait_or_kill(self._process, _CLOSE_S)
        self._stderr.close()

    def __enter__(self) -> EngineProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._process.kill()  # it may be deep in a long block; nobody waits for the answer
        self.close()

    def _pack(self, inputs: Sequence[Tensor]) -> tuple[Array, ...]:
        if len(inputs) != len(self.inputs):
            raise ValueError(
                f"{self._what} takes {len(self.inputs)} inputs, got {len(inputs)}; give one array each"
            )
        packed = []
        for values, spec in zip(map(Array.of, inputs), self.inputs, strict=True):
            if not values.is_whole:
                raise ValueError(
                    f"input {spec.name!r} of {self._what} has {len(values.data)} bytes, which is not "
                    f"{values.shape} {values.dtype}; send it whole"
                )
            # LiteRT files have 32-bit integers where the network has 64.
            given = values.narrowed() if (values.dtype, spec.dtype) == ("int64", "int32") else values
            if (given.shape, given.dtype) != (spec.shape, spec.dtype):
                raise ValueError(
                    f"input {spec.name!r} of {self._what} has shape {values.shape} {values.dtype}; "
                    f"it must be {spec.shape} {spec.dtype}; resize or convert it first"
                )
            packed.append(given)
        return tuple(packed)

    def _ask(self, request: Message, kind: type[A]) -> A:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        doing = type(request).__name__
        try:
            self._worker.write(self._process.stdin, request)
            answer = self._worker.read(self._process.stdout, most_bytes(request))
        except BrokenPipeError:
            answer = None
        except NoMessage as err:
            raise self._nonsense(doing, str(err)) from err
        if answer is None:
            raise self._death(doing.lower())
        if isinstance(answer, WorkerFailed):
            if answer.missing_extra:
                raise MissingExtra(answer.message)
            message = answer.message.replace(self._path, self._name)
            raise DeviceStableError(f"{self._what}: {message}")
        if not isinstance(answer, kind):
            raise self._nonsense(doing, f"it says {type(answer).__name__}")
        return answer

    def _nonsense(self, doing: str, problem: str) -> DeviceError:
        self._process.kill()  # whatever comes from it now answers nothing
        return DeviceTransientError(
            f"{self._what}: the worker's answer to {doing} is none ({problem}); the file may have broken it: "
            "export it again"
        )

    def _death(self, doing: str) -> DeviceError:
        code = wait_or_kill(self._process, _CLOSE_S)
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        self._stderr.seek(0)
        words = " ".join(self._stderr.read().decode(errors="replace").split())[-_LAST_WORDS:]
        return DeviceTransientError(
            f"{self._what}: the worker process died {how} during {doing}; try again, with fewer threads or "
            f"another engine; its last words: {words or 'none'}"
        )


def _specs(specs: Sequence[Spec]) -> tuple[TensorSpec, ...]:
    for name, dtype, shape in specs:
        size_bytes = size_bytes_of(dtype, shape) if dtype in ITEM_BYTES else 0
        if len(shape) > MOST_AXES or size_bytes > MOST_BYTES:
            raise ValueError(f"{name!r} has shape {shape} {dtype}; at most {MOST_BYTES} bytes are sent")
    return tuple(TensorSpec(*spec) for spec in specs)


def _environment() -> dict[str, str]:
    """Keep numpy's own pool out of the thread count."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return module_environment() | single
