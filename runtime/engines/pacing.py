"""Frames at a pace: release each at its time, run it, and see when it was done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.engines.array import Array, Tensor
from runtime.engines.samples import Frame, Samples
from runtime.errors import DeviceStableError

_ROUNDING_MS = 1e-6  # sums of periods differ in their last bits; no clock resolves a nanosecond


class FrameRunner(Protocol):
    """What runs one frame after the other: an engine's process, a session of a target."""

    def run(self, inputs: Sequence[Tensor] | None = None) -> Frame: ...
    def sample(self, *, warmup: int, runs: int) -> Samples: ...


@dataclass(frozen=True)
class PacedFrames:
    """Frames that were run at a pace.

    Attributes:
        latencies_ms: of each frame, in order, from its start to its end.
        done_ms: of each frame, from its arrival to its end: more than its latency where the one before was
            not done yet. Without a pace a frame arrives when the one before is done.
        outputs: the first output of each frame that was given inputs.
    """

    latencies_ms: tuple[float, ...]
    done_ms: tuple[float, ...]
    outputs: tuple[Array, ...]

    def late_frames(self, deadline_ms: float | None) -> int:
        """Return how many frames were done later than ``deadline_ms`` after their arrival."""
        if deadline_ms is None:
            return 0
        return sum(done_ms > deadline_ms + _ROUNDING_MS for done_ms in self.done_ms)


class TimeSource(Protocol):
    """Time as the frames of a target see it, in ms."""

    def now_ms(self) -> float: ...
    def wait_until(self, moment_ms: float) -> None: ...
    def spend(self, duration_ms: float) -> None: ...


class WallTime:
    """Real time: running a frame spends it by itself."""

    def now_ms(self) -> float:
        return time.perf_counter() * 1e3

    def wait_until(self, moment_ms: float) -> None:
        time.sleep(max(0.0, moment_ms - self.now_ms()) / 1e3)

    def spend(self, duration_ms: float) -> None:
        pass


class ModelledTime:
    """Modelled time: it moves by what a frame is modelled to take, however long the host needs."""

    def __init__(self) -> None:
        self._now_ms = 0.0

    def now_ms(self) -> float:
        return self._now_ms

    def wait_until(self, moment_ms: float) -> None:
        self._now_ms = max(self._now_ms, moment_ms)

    def spend(self, duration_ms: float) -> None:
        self._now_ms += duration_ms


def released(frames: int, fps: float | None, clock: TimeSource) -> Iterator[int]:
    """Yield each frame's number when its time has come; without ``fps`` at once."""
    begin_ms = clock.now_ms()
    for number in range(frames):
        if fps is not None:
            clock.wait_until(begin_ms + number * 1e3 / fps)
        yield number


def run_paced(
    runner: FrameRunner, inputs: Sequence[Sequence[Tensor]], frames: int, fps: float | None, clock: TimeSource
) -> PacedFrames:
    """Release ``frames`` frames at ``fps`` and run each, the first ones on ``inputs``."""
    latencies_ms: list[float] = []
    done_ms: list[float] = []
    outputs: list[Array] = []
    begin_ms = clock.now_ms()
    for number in released(frames, fps, clock):
        arrival_ms = clock.now_ms() if fps is None else begin_ms + number * 1e3 / fps
        if number < len(inputs):
            frame = runner.run(inputs[number])
            outputs.append(_first(frame))
            latency_ms = frame.latency_ms
        else:  # a virtual target's host computes outputs only for what is shown to it
            (latency_ms,) = runner.sample(warmup=0, runs=1).samples_ms
        clock.spend(latency_ms)
        latencies_ms.append(latency_ms)
        done_ms.append(clock.now_ms() - arrival_ms)
    return PacedFrames(tuple(latencies_ms), tuple(done_ms), tuple(outputs))


def _first(frame: Frame) -> Array:
    if not frame.arrays:
        raise DeviceStableError("the model gives no outputs; export it again")
    return frame.arrays[0]
