"""A program whose frames are so much work each: ``python -m tests.benchmarks._scene_frames JOB``.

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

from runtime.actuators import pin
from runtime.governing.client import Session
from runtime.running.pacing import WallClock, released

_PIECE = bytes(range(256)) * 256


@dataclass(frozen=True)
class SceneJob:
    """What to run.

    Attributes:
        pieces: of work, in each frame.
        period_ms: between two frames.
        due_ms: after its release a frame is late.
        out: file for the ``SceneRun``.
        cpus: to pin to, where no governor chooses.
    """

    pieces: tuple[int, ...]
    period_ms: float
    due_ms: float
    out: str
    cpus: tuple[int, ...] | None = None


@dataclass(frozen=True)
class SceneRun:
    """What came of it.

    Attributes:
        begin_s: of the monotonic clock, when the first frame was released; ``end_s`` when the last was done.
        latency_ms: of each frame.
        done_ms: when each ended, after its release.
    """

    begin_s: float
    end_s: float
    latency_ms: tuple[float, ...]
    done_ms: tuple[float, ...]


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


def serve(job: SceneJob) -> SceneRun:
    """Run the frames, each released at its time."""
    if job.cpus is not None:
        pin(job.cpus)
    clock = WallClock()
    latencies_ms, done_ms = [], []
    with Session(job.due_ms, [os.getpid()], name="scenes", period_ms=job.period_ms) as session:
        begin_ms = clock.now_ms()
        for number in released(len(job.pieces), 1e3 / job.period_ms, clock):
            release_ms, start_ms = begin_ms + number * job.period_ms, clock.now_ms()
            session.begin(release_ms + job.due_ms - start_ms)
            work(job.pieces[number])
            end_ms = clock.now_ms()
            session.report(end_ms - start_ms, end_ms > release_ms + job.due_ms)
            latencies_ms.append(end_ms - start_ms)
            done_ms.append(end_ms - release_ms)
        end_s = clock.now_ms() / 1e3
    return SceneRun(begin_ms / 1e3, end_s, tuple(latencies_ms), tuple(done_ms))


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.argv[1], type=SceneJob)
    Path(asked.out).write_bytes(msgspec.json.encode(serve(asked)))
