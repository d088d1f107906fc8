"""A program whose frames are so much work each: ``python -m tests.benchmarks._variable_frames FRAMES``.

It reports them to a governor where there is one, and writes when each began and ended.
"""

from __future__ import annotations

import os
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.device.actuators import pin
from runtime.govern.governor.client import Session
from runtime.govern.governor.frames import FramesRun, run_periodic

_PIECE = bytes(range(256)) * 256


@dataclass(frozen=True)
class VariableFrames:
    """What to run.

    Attributes:
        pieces: of work, in each frame.
        period_ms: between two frames.
        deadline_ms: after its release a frame is late.
        out: file for the ``FramesRun``.
        cpus: to pin to, where no governor chooses.
    """

    pieces: tuple[int, ...]
    period_ms: float
    deadline_ms: float
    out: str
    cpus: tuple[int, ...] | None = None


def work(pieces: int) -> None:
    """Do ``pieces`` of work."""
    for _ in range(pieces):
        zlib.crc32(_PIECE)


def pieces_per_ms(seconds: float = 2.0) -> float:
    """Return how many pieces this core does in a ms now."""
    done, begin_s = 0, time.perf_counter()
    while time.perf_counter() < begin_s + seconds:
        work(50)
        done += 50
    return done / (time.perf_counter() - begin_s) / 1e3


def run_frames(given: VariableFrames) -> FramesRun:
    """Run the frames, each released at its time."""
    if given.cpus is not None:
        pin(given.cpus)
    name, period_ms, deadline_ms = "variable load", given.period_ms, given.deadline_ms
    with Session(deadline_ms, [os.getpid()], name=name, period_ms=period_ms) as session:
        return run_periodic(
            lambda number: work(given.pieces[number]), session, len(given.pieces), period_ms, deadline_ms
        )


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.argv[1], type=VariableFrames)
    Path(asked.out).write_bytes(msgspec.json.encode(run_frames(asked)))
