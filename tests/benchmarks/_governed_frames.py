"""A model whose frames are run block by block: ``python -m tests.benchmarks._governed_frames MODEL``.

It loads the model once and reads ``Block``s as lines of JSON from stdin; what came of each, a ``FramesRun``,
goes to stdout. ``Child`` is the other side.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
from dataclasses import dataclass

import msgspec

from runtime.bundle import TensorSpec
from runtime.device.actuators import pin
from runtime.engines import litert, random_inputs  # noqa: F401  (it registers itself)
from runtime.engines.engine import ENGINES
from runtime.govern.governor.client import Session
from runtime.govern.governor.frames import FramesRun, FrameStream, run_periodic

_WARMUP_FRAMES = 3


@dataclass(frozen=True)
class Block:
    """Frames to run.

    Attributes:
        limit_ms: that a governor is asked to keep; ``deadline_ms``: after its release a frame is late.
        socket: of a governor; ``None``: the kernel's is in charge, on ``cpus``.
    """

    frames: int
    period_ms: float
    deadline_ms: float
    limit_ms: float
    socket: str | None = None
    cpus: tuple[int, ...] = ()


class Child:
    """The program; enter it, then ``ask`` and ``answer`` by turns."""

    def __init__(self, stream: FrameStream):
        self._command = [
            sys.executable,
            "-m",
            "tests.benchmarks._governed_frames",
            stream.graph,
            stream.model,
        ]

    def __enter__(self) -> Child:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._in, self._out = self._process.stdin, self._process.stdout
        assert self._in is not None and self._out is not None  # noqa: PT018
        self._out.readline()  # it is ready
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """The process whose threads do the work."""
        return self._process.pid

    def ask(self, block: Block) -> None:
        """Begin a block."""
        self._in.write(msgspec.json.encode(block) + b"\n")
        self._in.flush()

    def has_answered(self) -> bool:
        """Return whether the block is over, or the program is."""
        return bool(select.select([self._out], [], [], 0)[0])

    def answer(self) -> FramesRun:
        """Wait for the end of the block and return what came of it."""
        return msgspec.json.decode(self._out.readline(), type=FramesRun)


def main() -> None:
    """Run the blocks of stdin until it ends."""
    graph, model = sys.argv[1:]
    engine = ENGINES.get("litert")(model, graph, 1)
    specs = [TensorSpec(*spec) for spec in engine.inputs]
    engine.set_inputs([array.numpy() for array in random_inputs(specs)])
    engine.invoke()
    print("ready", flush=True)
    for line in sys.stdin:
        block = msgspec.json.decode(line, type=Block)
        if block.socket is None:
            pin(block.cpus)
        with _session(block) as session:
            for _ in range(_WARMUP_FRAMES):  # on the cores that were chosen
                engine.invoke()
            done = run_periodic(
                lambda number: engine.invoke(), session, block.frames, block.period_ms, block.deadline_ms
            )
        print(msgspec.json.encode(done).decode(), flush=True)


def _session(block: Block) -> contextlib.AbstractContextManager[Session]:
    return Session(block.limit_ms, path=block.socket, name="governed", period_ms=block.period_ms)


if __name__ == "__main__":
    main()
