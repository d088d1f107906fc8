"""``python -m runtime.govern.governor.frames``: run a model's frames at a pace and report them.

What ``edgekit govern BUNDLE`` runs where no program is given, and an example of one that is governed. Its
only argument is a ``Job`` as JSON; what came of it goes to the job's ``out``.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.bundle import Bundle, TensorSpec, Variant, write_atomic
from runtime.device.actuators import pin
from runtime.device.child import module_command
from runtime.engines import (  # noqa: F401  (two register themselves)
    EngineProcess,
    executorch,
    litert,
    random_inputs,
)
from runtime.engines.engine import ENGINES
from runtime.engines.pacing import WallClock, released
from runtime.engines.worker_program import choose_worker
from runtime.errors import EdgekitError
from runtime.govern.governor.client import Session
from runtime.govern.governor.machine import threads_of
from runtime.govern.governor.serving import Plan

_WARMUP_FRAMES = 3


@dataclass(frozen=True)
class Job:
    """What to run.

    Attributes:
        model: path of the file.
        threads: of the engine's pool.
        frames: how many, one every ``period_ms``.
        target_ms: that each may take.
        out: file for the ``FramesRun``; ``None``: none.
        cpus: to pin to before anything is loaded, where no governor does it.
        due_ms: after its release a frame is late; ``None``: a period.
    """

    engine: str
    model: str
    graph: str
    threads: int
    frames: int
    period_ms: float
    target_ms: float
    out: str | None = None
    cpus: tuple[int, ...] | None = None
    due_ms: float | None = None


@dataclass(frozen=True)
class FramesRun:
    """What came of the frames.

    Attributes:
        begin_s: of the monotonic clock, when the first was released; ``end_s`` when the last was done.
        start_s: when each frame began, since then.
        latency_ms: of each.
        late: whether each ended after it was due.
        is_governed: whether a governor answered to the end; else ``problem`` says why not.
    """

    begin_s: float
    end_s: float
    start_s: tuple[float, ...]
    latency_ms: tuple[float, ...]
    late: tuple[bool, ...]
    is_governed: bool
    problem: str


def job_for(
    bundle: Bundle, variant: Variant, plan: Plan, *, threads: int, frames: int, out: Path | None = None
) -> Job:
    """Return the job that runs ``frames`` frames of a bundle's variant."""
    path = str(bundle.file(variant.path).resolve())
    where = None if out is None else str(out)
    period_ms, target_ms = plan.period_ms, plan.deadline_ms
    return Job(
        variant.engine, path, variant.graph, threads, frames, period_ms, target_ms, where, due_ms=plan.due_ms
    )


def command_of(job: Job) -> list[str]:
    """Return the command line that does ``job``."""
    return module_command("runtime.govern.governor.frames", msgspec.json.encode(job).decode())


def serve(job: Job) -> FramesRun:
    """Run the frames, each released at its time, and report them.

    Raises:
        MissingExtra: the engine is not installed.
        DeviceError: it cannot run the model, or pin.
    """
    if job.cpus is not None:
        pin(job.cpus)
    name = Path(job.model).stem
    with (
        _loaded(job) as (run, tids),
        Session(job.target_ms, tids, name=name, period_ms=job.period_ms) as session,
    ):
        for _ in range(_WARMUP_FRAMES):  # on the cores that the governor chose
            run()
        due_ms = job.due_ms or job.period_ms
        return run_paced(lambda number: run(), session, job.frames, job.period_ms, due_ms)


def run_paced(
    run: Callable[[int], object], session: Session, frames: int, period_ms: float, due_ms: float
) -> FramesRun:
    """Release a frame every ``period_ms``, run each by its number, and tell ``session`` of it.

    Args:
        due_ms: after its release a frame is late.
    """
    starts_s, latencies_ms, lates = [], [], []
    clock = WallClock()
    begin_ms = clock.now_ms()
    for number in released(frames, 1e3 / period_ms, clock):
        start_ms = clock.now_ms()
        due_at_ms = begin_ms + number * period_ms + due_ms
        session.begin(due_at_ms - start_ms)
        run(number)
        end_ms = clock.now_ms()
        is_late = end_ms > due_at_ms
        starts_s.append((start_ms - begin_ms) / 1e3)
        latencies_ms.append(end_ms - start_ms)
        lates.append(is_late)
        session.report(end_ms - start_ms, is_late)
    problem, is_governed = session.problem, session.is_governed
    begin_s, done_s = begin_ms / 1e3, clock.now_ms() / 1e3
    return FramesRun(
        begin_s, done_s, tuple(starts_s), tuple(latencies_ms), tuple(lates), is_governed, problem
    )


@contextlib.contextmanager
def _loaded(job: Job) -> Iterator[tuple[Callable[[], object], tuple[int, ...]]]:
    """Load the model; give what runs a frame, and the threads that it runs on.

    In this process, but for the native ExecuTorch runner, which is a program of its own.
    """
    if choose_worker(job.engine).kind == "native":
        with EngineProcess(job.engine, job.model, threads=job.threads) as model:
            made_up = random_inputs(model.inputs)
            model.sample(made_up, warmup=0, runs=1)  # so that all its threads are there
            yield lambda: model.sample(made_up, warmup=0, runs=1), threads_of(model.pid)
        return
    engine = ENGINES.get(job.engine)(job.model, job.graph, job.threads)
    specs = [TensorSpec(*spec) for spec in engine.inputs]
    engine.set_inputs([array.numpy() for array in random_inputs(specs)])
    yield engine.invoke, threads_of(os.getpid())


def main() -> int:
    """Do the job that the first argument describes; return the exit status."""
    job = msgspec.json.decode(sys.argv[1], type=Job)
    try:
        served = serve(job)
    except EdgekitError as err:
        print(f"Error: {err}", file=sys.stderr)
        return err.exit_code
    if job.out is not None:
        write_atomic(Path(job.out), msgspec.json.encode(served))
    return 0


if __name__ == "__main__":
    sys.exit(main())
