"""The kernel's governors, simulated on the same periodic frames a policy serves.

Sources: Documentation/scheduler/{schedutil,sched-capacity,sched-energy}.rst of Linux.

What the simulation holds: one task that wakes once per period, runs one frame on one cluster and
sleeps. Energy is the power of the clock times the time busy; waiting is free, because the power
tables give the increment over an idle machine. The clock is reconsidered when the task wakes and at
every tick while it runs. Left out: the delay of a clock change, util_est, other tasks, heat, and
that kernels since 5.16 may skip clocks their energy model calls inefficient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

PELT_HALF_LIFE_MS = 32.0
TICK_MS = 4.0  # HZ=250
HEADROOM = 1.25  # schedutil's and the fits-capacity rule's


@dataclass(frozen=True)
class Domain:
    """A cluster as a governor sees it, one value per clock, slowest first.

    Attributes:
        capacity: computing power at each clock, on the kernel's scale of 0 to 1024.
        latency_ms: of one frame at each clock.
        power_mw: while busy at each clock, ``None`` where unknown.
    """

    cluster: str
    threads: int
    freq_khz: tuple[int, ...]
    capacity: tuple[float, ...]
    latency_ms: tuple[float, ...]
    power_mw: tuple[float | None, ...]

    def utilisation(self, period_ms: float) -> float:
        """Return the mean utilisation of one frame per period on the scale of ``capacity``."""
        return self.capacity[-1] * self.latency_ms[-1] / period_ms


@dataclass(frozen=True)
class Outcome:
    """What became of the frames under one governor.

    Attributes:
        freq_low_khz, freq_high_khz: the clocks that were used.
        latency_ms: median of the time from start to end of a frame.
        fps: frames finished per second.
        late_frames: finished after the end of their period.
        energy_mj: per frame, ``None`` where the power of a clock used is unknown.
        saved_pct: what the chosen setting saves against this one, filled in by whoever compares.
    """

    governor: str
    cluster: str
    threads: int
    freq_low_khz: int
    freq_high_khz: int
    latency_ms: float
    fps: float
    frames: int
    late_frames: int
    energy_mj: float | None
    saved_pct: float | None = None


Governor = Callable[[Domain, float], int]


def performance(domain: Domain, util: float) -> int:
    """Return the index of the highest clock."""
    return len(domain.freq_khz) - 1


def powersave(domain: Domain, util: float) -> int:
    """Return the index of the lowest clock."""
    return 0


def schedutil(domain: Domain, util: float) -> int:
    """Return the index of the lowest clock at or above 1.25 * f_max * util / capacity."""
    wanted_khz = HEADROOM * domain.freq_khz[-1] * util / domain.capacity[-1]
    return min(int(np.searchsorted(domain.freq_khz, wanted_khz)), len(domain.freq_khz) - 1)


def fixed(index: int) -> Governor:
    """Return the governor that always answers ``index``: a policy, or an oracle."""
    return lambda domain, util: index


def pelt(util: float, running_at: float, duration_ms: float) -> float:
    """Return the utilisation after ``duration_ms`` of running at a capacity, or of sleep at 0.

    Per-entity load tracking halves the past every 32 ms. Time at a low clock counts for what it
    gets done, as the kernel's frequency invariance has it.
    """
    remembered = 0.5 ** (duration_ms / PELT_HALF_LIFE_MS)
    return running_at + (util - running_at) * remembered


def place_by_energy(domains: Sequence[Domain], period_ms: float) -> Domain:
    """Return where energy-aware scheduling puts the task.

    Among the clusters in which it fits (util * 1.25 < capacity) the one of least energy
    power(f) * util / capacity(f) at the clock schedutil would choose; the biggest where it fits nowhere.
    """
    fitting = [d for d in domains if HEADROOM * d.utilisation(period_ms) < d.capacity[-1]]

    def energy(domain: Domain) -> tuple[bool, float]:
        util = domain.utilisation(period_ms)
        index = schedutil(domain, util)
        power_mw = domain.power_mw[index]
        if power_mw is None:
            return True, domain.capacity[-1]
        return False, power_mw * util / domain.capacity[index]

    return min(fitting, key=energy) if fitting else biggest(domains)


def biggest(domains: Sequence[Domain]) -> Domain:
    """Return the cluster of the highest capacity: where a heavy task ends up without an energy model."""
    return max(domains, key=lambda d: d.capacity[-1])


def simulate(
    name: str, domain: Domain, governor: Governor, *, fps: float, frames: int = 300, settle: int = 30
) -> Outcome:
    """Return what ``governor`` makes of ``frames`` frames, after ``settle`` more that are not counted."""
    period_ms = 1000.0 / fps
    now_ms, util = 0.0, 0.0
    energy_mj: float | None = 0.0
    late, begin_ms = 0, 0.0
    latencies_ms: list[float] = []
    used: set[int] = set()
    for frame in range(settle + frames):
        release_ms = frame * period_ms
        if frame == settle:
            energy_mj, late, begin_ms = 0.0, 0, max(now_ms, release_ms)
            latencies_ms.clear()
            used.clear()
        if now_ms < release_ms:
            util = pelt(util, 0.0, release_ms - now_ms)
            now_ms = release_ms
        start_ms, left = now_ms, 1.0
        while left > 1e-9:
            index = governor(domain, util)
            step_ms = min(TICK_MS, left * domain.latency_ms[index])
            left -= step_ms / domain.latency_ms[index]
            now_ms += step_ms
            util = pelt(util, domain.capacity[index], step_ms)
            energy_mj = _add(energy_mj, domain.power_mw[index], step_ms)
            used.add(domain.freq_khz[index])
        latencies_ms.append(now_ms - start_ms)
        late += now_ms > release_ms + period_ms + 1e-6
    return Outcome(
        governor=name,
        cluster=domain.cluster,
        threads=domain.threads,
        freq_low_khz=min(used),
        freq_high_khz=max(used),
        latency_ms=float(np.median(latencies_ms)),
        fps=1000.0 * frames / max(frames * period_ms, now_ms - begin_ms),
        frames=frames,
        late_frames=late,
        energy_mj=None if energy_mj is None else energy_mj / frames,
    )


def _add(energy_mj: float | None, power_mw: float | None, duration_ms: float) -> float | None:
    if energy_mj is None or power_mw is None:
        return None
    return energy_mj + power_mw * duration_ms / 1000.0
