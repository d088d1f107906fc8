"""``python -m runtime.govern.governor.frames``: run a model's frames, one each period, and report them.

What ``edgekit govern BUNDLE`` runs where no program is given, and an example of one that is governed. Its
only argument is a ``FrameStream`` as JSON; what came of it goes to the stream's ``out``.
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
from runtime.engines.checked_file import checked_file
from runtime.engines.engine import ENGINES
from runtime.engines.pacing import WallTime, released
from runtime.engines.worker_program import choose_worker
from runtime.errors import BundleError, EdgekitError
from runtime.flow.frames import FlowBundle, as_frames
from runtime.govern.governor.client import Session
from runtime.govern.governor.machine import threads_of
from runtime.govern.governor.plan import GovernPlan
from runtime.visible import visible

_WARMUP_FRAMES = 3


@dataclass(frozen=True)
class FrameStream:
    """Frames of a model, to be run one after the other.

    Attributes:
        model: path of the file; of a bundle, where ``flow`` is given.
        flow: name of the bundle's variant that is a whole flow; ``engine`` and ``graph`` then say nothing.
        threads: of the engine's pool.
        frames: how many, one every ``period_ms``.
        deadline_ms: after its arrival a frame is late; ``None``: a period.
        latency_limit_ms: that a governor is asked to keep, as ``GovernPlan`` has it.
        out: file for the ``FramesRun``; ``None``: none.
        cpus: to pin to before anything is loaded, where no governor does it.
        sha256: that the file must have.
    """

    engine: str
    model: str
    graph: str
    threads: int
    frames: int
    period_ms: float
    latency_limit_ms: float
    out: str | None = None
    cpus: tuple[int, ...] | None = None
    deadline_ms: float | None = None
    sha256: str | None = None
    flow: str | None = None


@dataclass(frozen=True)
class FramesRun:
    """What came of the frames.

    Attributes:
        begin_s: of the monotonic clock, when the first arrived; ``end_s`` when the last was done.
        start_s: when each frame began, since then.
        latency_ms: of each.
        late: whether each ended after its deadline.
        is_governed: whether a governor answered to the end; else ``problem`` says why not.
    """

    begin_s: float
    end_s: float
    start_s: tuple[float, ...]
    latency_ms: tuple[float, ...]
    late: tuple[bool, ...]
    is_governed: bool
    problem: str


def stream_for(
    bundle: Bundle,
    variant: Variant,
    plan: GovernPlan,
    *,
    threads: int,
    frames: int,
    out: Path | None = None,
) -> FrameStream:
    """Return the stream of ``frames`` frames of a bundle's variant: of a graph, or of a whole flow."""
    is_flow = isinstance(bundle, FlowBundle)
    return FrameStream(
        variant.engine,
        str((bundle.path if is_flow else bundle.file(variant.path)).resolve()),
        variant.graph,
        threads,
        frames,
        plan.period_ms,
        plan.latency_limit_ms,
        None if out is None else str(out),
        deadline_ms=plan.deadline_ms,
        sha256=None if is_flow else bundle.sha256(variant.path),
        flow=variant.name if is_flow else None,
    )


def command_of(stream: FrameStream) -> list[str]:
    """Return the command line that runs ``stream``; it reports its frames."""
    return module_command("runtime.govern.governor.frames", msgspec.json.encode(stream).decode())


def run_stream(stream: FrameStream) -> FramesRun:
    """Run the frames, each released at its time, and report them.

    Raises:
        MissingExtra: the engine is not installed.
        DeviceError: it cannot run the model, or pin.
    """
    if stream.cpus is not None:
        pin(stream.cpus)
    name = Path(stream.model).stem
    with (
        loaded(stream) as (run, tids),
        Session(stream.latency_limit_ms, tids, name=name, period_ms=stream.period_ms) as session,
    ):
        for _ in range(_WARMUP_FRAMES):  # on the cores that the governor chose
            run()
        deadline_ms = stream.deadline_ms or stream.period_ms
        return run_periodic(lambda number: run(), session, stream.frames, stream.period_ms, deadline_ms)


def run_periodic(
    run: Callable[[int], object], session: Session, frames: int, period_ms: float, deadline_ms: float
) -> FramesRun:
    """Release a frame every ``period_ms``, run each by its number, and report it to ``session``.

    Args:
        deadline_ms: after its release a frame is late.
    """
    starts_s, latencies_ms, lates = [], [], []
    clock = WallTime()
    begin_ms = clock.now_ms()
    for number in released(frames, 1e3 / period_ms, clock):
        start_ms = clock.now_ms()
        late_after_ms = begin_ms + number * period_ms + deadline_ms
        session.begin(late_after_ms - start_ms)
        run(number)
        end_ms = clock.now_ms()
        is_late = end_ms > late_after_ms
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
def loaded(stream: FrameStream) -> Iterator[tuple[Callable[[], object], tuple[int, ...]]]:
    """Load the model; give what runs a frame, and the threads that it runs on.

    In this process, but for the native ExecuTorch runner, which is a program of its own, and for flows.
    """
    if stream.flow is not None:
        with _loaded_flow(Path(stream.model), stream.flow, stream.threads) as flow:
            yield flow
        return
    if choose_worker(stream.engine).kind == "native":
        with EngineProcess(
            stream.engine, stream.model, graph=stream.graph, threads=stream.threads, sha256=stream.sha256
        ) as model:
            inputs = random_inputs(model.inputs)
            model.sample(inputs, warmup=0, runs=1)  # so that all its threads are there
            yield lambda: model.sample(inputs, warmup=0, runs=1), threads_of(model.pid)
        return
    with checked_file(stream.model, stream.sha256) as (path, _):
        engine = ENGINES.get(stream.engine)(path, stream.graph, stream.threads)
    specs = [TensorSpec(*spec) for spec in engine.inputs]
    engine.set_inputs([array.numpy() for array in random_inputs(specs)])
    yield engine.invoke, threads_of(os.getpid())


@contextlib.contextmanager
def _loaded_flow(
    path: Path, variant: str, threads: int
) -> Iterator[tuple[Callable[[], object], tuple[int, ...]]]:
    """Load a flow as ``loaded`` a model: a process for each graph, for engines share one pool in a process.

    Pre-step and post-step run in this one.
    """
    from runtime.flow.made_up import MadeUpFrames  # needs NumPy, which frames of one graph do not
    from runtime.flow.sessions import GraphSessions

    bundle = as_frames(Bundle.open(path), [variant])
    if not isinstance(bundle, FlowBundle) or variant not in bundle.files:
        raise BundleError(f"{path.name} has no {variant}; tune it again")
    files = bundle.files[variant]
    with contextlib.ExitStack() as stack:
        models = {
            graph: stack.enter_context(
                EngineProcess(
                    file.engine,
                    bundle.file(file.path),
                    graph=graph,
                    threads=threads,
                    sha256=bundle.sha256(file.path),
                )
            )
            for graph, file in files.items()
        }
        frames = MadeUpFrames(bundle, GraphSessions(models, files, bundle.manifest.graphs))
        frames.refer()
        frames.run()  # so that all threads are there
        pids = (os.getpid(), *(model.pid for model in models.values()))
        yield frames.run, tuple(tid for pid in pids for tid in threads_of(pid))


def main() -> int:
    """Run the stream that the first argument describes; return the exit status."""
    stream = msgspec.json.decode(sys.argv[1], type=FrameStream)
    try:
        done = run_stream(stream)
    except EdgekitError as err:
        print(f"Error: {visible(str(err))}", file=sys.stderr)
        return err.exit_code
    if stream.out is not None:
        write_atomic(Path(stream.out), msgspec.json.encode(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
