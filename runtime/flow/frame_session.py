"""A whole flow ready to be measured frame by frame, as a session of one graph is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from runtime.bundle import Variant
from runtime.device.conditions import Conditions
from runtime.device.meters.memory import MemoryUse
from runtime.device.meters.reading import EnergyReading
from runtime.device.setting import Setting
from runtime.engines import Samples
from runtime.engines.pacing import WallTime, released
from runtime.flow.figures import Part
from runtime.flow.frames import FlowBundle
from runtime.flow.made_up import MadeUpFrames
from runtime.flow.sessions import GraphSessions, open_graphs, steps_beside
from runtime.flow.times import FrameTimes, parts_of
from runtime.targets.local import LocalTarget

if TYPE_CHECKING:
    from runtime.targets import Target
    from runtime.targets.target import Session


class FlowSession:
    """The graphs of a flow loaded under one setting; see ``SampledSession``.

    What the machine was asked and does is what the first graph's session says: it holds the clock for all.

    Attributes:
        parts: of the frames that were sampled last.
        reference_ms: what the references took, once; ``None`` where there are none.
    """

    def __init__(self, bundle: FlowBundle, target: Target, sessions: GraphSessions[Session]):
        self._bundle, self._target, self._sessions = bundle, target, sessions
        self._main = next(iter(sessions.sessions.values()))
        self.setting: Setting = self._main.setting
        self.versions, self.device = self._main.versions, self._main.device
        self.meter = target.meter.found.name if isinstance(target, LocalTarget) else None
        self._frames = MadeUpFrames(bundle, sessions)
        self.parts: tuple[Part, ...] = ()
        self.reference_ms: float | None = None
        self._is_cold = True

    @property
    def control_level(self) -> str:
        return self._main.control_level

    @property
    def setting_read(self) -> Setting | None:
        return self._main.setting_read

    def conditions(self, *, probe: bool = False) -> Conditions:
        """Return what the machine does now; the work of all graphs is the flow's own."""
        main = self._main.conditions(probe=probe)
        others = [s.conditions() for s in self._sessions.sessions.values() if s is not self._main]
        busy_s = [main.own_busy_s, *(other.own_busy_s for other in others)]
        wait_s = [main.own_wait_s, *(other.own_wait_s for other in others)]
        return replace(main, own_busy_s=_sum(busy_s), own_wait_s=_sum(wait_s))

    def sample(self, *, warmup: int, runs: int, fps: float | None = None) -> Samples:
        """Return what ``runs`` frames took, each a sum over its parts; see ``SampledSession.sample``."""
        first_ms = None
        if self._is_cold:
            self.reference_ms = self._frames.refer()
            first_ms = self._frames.run().latency_ms(self._target)
            self._is_cold = False
        for _ in range(warmup):
            self._frames.run()
        # A pool shows its threads, and a worker its memory, only when they are asked for samples.
        seen = [session.sample(warmup=0, runs=1) for session in self._sessions.sessions.values()]
        times, energy = self._measured(runs, fps)
        self.parts = parts_of(times, self._bundle.flow, self._target)
        return Samples(
            first_ms,
            tuple(one.latency_ms(self._target) for one in times),
            seen[0].threads,
            energy=energy,
            misplaced=tuple(dict.fromkeys(why for one in seen for why in one.misplaced)),
            load_ms=_sum([one.load_ms for one in seen]),
            memory=_memory([one.memory for one in seen]),
        )

    def _measured(self, runs: int, fps: float | None) -> tuple[list[FrameTimes], EnergyReading | None]:
        def frames() -> list[FrameTimes]:
            return [self._frames.run() for _ in released(runs, fps, WallTime())]

        if isinstance(self._target, LocalTarget):
            return self._target.meter.measure(runs, frames)
        return frames(), None


@contextlib.contextmanager
def open_flow(
    bundle: FlowBundle, target: Target, variant: Variant, setting: Setting
) -> Iterator[FlowSession]:
    """Load the flow's graphs on ``target`` within the block; on this machine its steps share their CPUs.

    Raises:
        ValueError, PermissionNeeded, DeviceError: see ``Target.session``.
        MissingExtra: NumPy or Pillow is not installed.
    """
    files = bundle.files[variant.name]
    with open_graphs(bundle.plain, target, setting, files) as sessions, steps_beside(target, setting):
        yield FlowSession(bundle, target, sessions)


def _sum(figures: Sequence[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if len(known) == len(figures) else None


def _memory(uses: Sequence[MemoryUse | None]) -> MemoryUse | None:
    """Return the memory of all workers together."""
    known = [use for use in uses if use is not None]
    if not known or len(known) < len(uses):
        return None
    fields = ("peak_bytes", "model_bytes", "arena_bytes")
    sums = (_sum([getattr(use, name) for use in known]) for name in fields)
    return MemoryUse(*(None if one is None else int(one) for one in sums))
