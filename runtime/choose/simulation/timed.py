"""A network's frames under a governor: equal frames at a fixed rate, at latencies timed at each point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from runtime.choose.policy.outcome import Outcome
from runtime.choose.simulation.engine import SimGovernor, replay
from runtime.choose.simulation.frames import periodic
from runtime.choose.simulation.platform import Platform

_DARK_MW = 1e9  # stands for a power that nobody knows: whoever looks at power takes such a point last


@dataclass(frozen=True, eq=False)
class TimedPlatform(Platform):
    """A platform whose speed was timed at every point: memory does not get faster with the core.

    Work is counted in frames, so the latency of one frame at a point is all its speed.

    Attributes:
        latency_ms: of one frame at each point.
        is_dark: points of unknown power.
        threads: cores that a frame keeps busy.
    """

    latency_ms: np.ndarray = field(default_factory=lambda: np.empty(0))
    is_dark: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=bool))
    threads: int = 1

    @cached_property
    def speed(self) -> np.ndarray:
        """Frames per ms at each point."""
        return 1.0 / self.latency_ms


def timed_platform(
    name: str,
    clusters: Sequence[str],
    freqs_khz: Sequence[int],
    capacities: Sequence[float],
    latencies_ms: Sequence[float],
    powers_mw: Sequence[float | None],
    *,
    threads: int = 1,
    idle_mw: float = 0.0,
) -> TimedPlatform:
    """Return the table of points that are given one value each; clocks change in no time.

    Args:
        clusters: name of each point's cluster; points of one stand together, slowest first.
        capacities: computing power on the kernel's scale.
        powers_mw: while busy, ``None`` where unknown.
        idle_mw: while waiting.
    """
    names = tuple(dict.fromkeys(clusters))
    return TimedPlatform(
        name=name,
        cluster_names=names,
        cluster=np.array([names.index(cluster) for cluster in clusters]),
        freq_khz=np.array(freqs_khz, dtype=int),
        capacity=np.array(capacities, dtype=float),
        power_mw=np.array([_DARK_MW if mw is None else max(mw - idle_mw, 0.0) for mw in powers_mw]),
        top_khz=max(freqs_khz),
        idle_mw=idle_mw,
        transition_ms=0.0,
        latency_ms=np.array(latencies_ms, dtype=float),
        is_dark=np.array([mw is None for mw in powers_mw]),
        threads=threads,
    )


def replay_frames(
    name: str,
    platform: TimedPlatform,
    governor: Callable[[Platform], SimGovernor],
    *,
    fps: float,
    deadline_ms: float | None = None,
    frames: int = 240,
    settle: int = 30,
) -> Outcome:
    """Return what a governor makes of ``frames`` frames, after ``settle`` more that are not counted.

    Energy counts from the first counted frame's arrival to the end of the last one's period.

    Args:
        deadline_ms: from a frame's arrival to when it must be done; by default a period.
        frames: 240 are 8 s at 30 FPS: beside that no governor's window (320 ms at most) weighs anything.
        settle: a second at 30 FPS, five half-lives of what a kernel tracks of a load and more.
    """
    released = periodic(np.ones((1, settle + frames)), fps, deadline_ms)
    result = replay(platform, released, governor(platform), settle=settle)
    arrival_ms, finish_ms = released.arrival_ms[0], result.finish_ms[0]
    start_ms = np.maximum(arrival_ms, np.concatenate([[0.0], finish_ms[:-1]]))[settle:]
    finish_ms, late = finish_ms[settle:], int(result.late[0, settle:].sum())
    busy_ms = result.busy_ms[0]
    used = np.flatnonzero(busy_ms > 1e-9)
    span_ms = max(float(finish_ms[-1] - start_ms[0]), frames * 1000.0 / fps)
    energy_uj = busy_ms @ platform.power_mw + span_ms * platform.idle_mw
    return Outcome(
        governor=name,
        cluster="+".join(dict.fromkeys(platform.cluster_names[n] for n in platform.cluster[used])),
        threads=platform.threads,
        freq_low_khz=int(platform.freq_khz[used].min()),
        freq_high_khz=int(platform.freq_khz[used].max()),
        latency_ms=float(np.median(finish_ms - start_ms)),
        fps=1000.0 * frames / span_ms,
        frames=frames,
        late_frames=late,
        misses_deadline=late > 0,
        energy_mj=None if platform.is_dark[used].any() else round(float(energy_uj) / 1000.0 / frames, 9),
    )
