"""Frames that are run block by block: ``python -m tests.benchmarks._governed_frames STREAM``, as JSON.

It loads the model, or flow, once and reads ``Block``s as lines of JSON from stdin; what came of each, a
``FramesRun``, goes to stdout. ``Child`` is the other side.
"""

from __future__ import annotations

import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.device.actuators import move
from runtime.govern.governor.client import Session
from runtime.govern.governor.frames import FramesRun, FrameStream, loaded, run_periodic

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
    """The program; enter it, then ``ask`` and ``answer`` by turns.

    Attributes:
        pids: processes whose threads do the work.
    """

    pids: tuple[int, ...]

    def __init__(self, stream: FrameStream):
        what = msgspec.json.encode(stream).decode()
        self._command = [sys.executable, "-m", "tests.benchmarks._governed_frames", what]

    def __enter__(self) -> Child:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._in, self._out = self._process.stdin, self._process.stdout
        assert self._in is not None and self._out is not None  # noqa: PT018
        self.pids = tuple(msgspec.json.decode(self._out.readline()))  # it is ready
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

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
    stream = msgspec.json.decode(sys.argv[1], type=FrameStream)
    with loaded(stream) as (run, tids):
        print(msgspec.json.encode(sorted({_process_of(tid) for tid in tids})).decode(), flush=True)
        for line in sys.stdin:
            block = msgspec.json.decode(line, type=Block)
            if block.socket is None:
                move(tids, block.cpus)
            limits = {"path": block.socket, "name": "governed", "period_ms": block.period_ms}
            with Session(block.limit_ms, tids, **limits) as session:
                for _ in range(_WARMUP_FRAMES):  # on the cores that were chosen
                    run()
                done = run_periodic(
                    lambda number: run(), session, block.frames, block.period_ms, block.deadline_ms
                )
            print(msgspec.json.encode(done).decode(), flush=True)


def _process_of(tid: int) -> int:
    (line,) = (x for x in Path(f"/proc/{tid}/status").read_text().splitlines() if x.startswith("Tgid:"))
    return int(line.split()[1])


if __name__ == "__main__":
    main()
