"""Records of gestures, one line for each page, gesture and setting that was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.device.provenance import Provenance
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile, load_profile
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.errors import DataError
from runtime.measure.records import Record
from runtime.targets.name import PLAYED, TargetName

# A machine is up to so much faster or slower than usual: the same page's work moved by 30 % between batches.
# A probe that says more was interrupted, which adds no CPU time to frames.
_MOST_SPEED = 1.6
_LEAST_FPS = 0.2  # a page that showed nothing has a logarithm, too: less than a frame in five seconds


@dataclass(frozen=True)
class Measured:
    """What a page showed of a gesture under one setting.

    Attributes:
        page, sha256: name and digest of the page's main document.
        gesture: name, ``scroll-1800``; ``kind``, ``speed``, ``factor`` and ``source`` are parts of it.
        target: that it ran on.
        setting: cores and clock.
        capacity: of its core, as a share of the fastest of the SoC.
        refresh_hz: of the display.
        work_ms: CPU time of a displayed frame by role, of the fastest core; medians of the runs, each by the
            machine's speed just before it, where a probe told that.
        runs_fps: displayed frames per second of each run.
    """

    page: str
    sha256: str
    gesture: str
    kind: str
    speed: float
    factor: float
    source: str
    target: str
    setting: Setting
    capacity: float
    refresh_hz: float
    work_ms: dict[str, float]
    runs_fps: tuple[float, ...]

    @property
    def fps(self) -> float:
        """Median over the runs."""
        return max(statistics.median(self.runs_fps), _LEAST_FPS)

    @property
    def halves_fps(self) -> tuple[float, float] | None:
        """Medians of every second run and of the others; ``None`` of fewer than two runs."""
        if len(self.runs_fps) < 2:
            return None
        halves = (statistics.median(self.runs_fps[part::2]) for part in (0, 1))
        first, second = (max(half, _LEAST_FPS) for half in halves)
        return first, second

    @property
    def case(self) -> tuple[str, str, str]:
        """What is one page under one gesture."""
        return self.page, self.sha256, self.gesture


def measured(
    records: Iterable[Record], include_unstable: bool = False
) -> tuple[list[Measured], dict[str, int]]:
    """Return what was measured, places in the order they come in, and how many records were left out and why.

    Args:
        include_unstable: take those that were judged unstable, too. Of an emulated machine all count: its
            host is never as calm as a phone, and the medians of runs mend their scatter.

    Raises:
        DataError: a record says nothing of its core's speed, and neither does its target.
    """
    places: dict[tuple[object, ...], list[Record]] = {}
    probes_ms: dict[str, list[float]] = {}
    left_out = {"no gesture": 0, "slowed by Chrome's reports": 0, "unstable": 0}
    for record in records:
        if record.gesture is None:
            left_out["no gesture"] += 1
        elif record.gesture.is_detailed:
            left_out["slowed by Chrome's reports"] += 1
        elif not (include_unstable or record.is_trusted or record.provenance == Provenance.EMULATED):
            left_out["unstable"] += 1
        else:
            key = record.model, record.model_sha256, record.variant, record.target, record.setting
            places.setdefault(key, []).append(record)
            if record.gesture.probe_ms:
                probes_ms.setdefault(record.target, []).append(record.gesture.probe_ms)
    usual_ms = {target: statistics.median(each) for target, each in probes_ms.items()}
    found = [_place(group, usual_ms.get(group[0].target)) for group in places.values()]
    return found, {reason: count for reason, count in left_out.items() if count}


def profile_of(target: str) -> SocProfile | None:
    """Return the SoC that a target's name tells; ``None``: it tells none."""
    name = TargetName.parse(target)
    return load_profile(name.rest) if name.kind in PLAYED else None


def _place(records: Sequence[Record], usual_probe_ms: float | None) -> Measured:
    last = records[-1]
    gestures = [record.gesture for record in records if record.gesture is not None]
    roles = dict.fromkeys(role for gesture in gestures for role in gesture.work_ms)
    speeds = [_speed(gesture.probe_ms, usual_probe_ms) for gesture in gestures]
    return Measured(
        page=last.model,
        sha256=last.model_sha256,
        gesture=last.variant,
        kind=gestures[-1].kind,
        speed=gestures[-1].speed,
        factor=gestures[-1].factor,
        source=gestures[-1].source,
        target=last.target,
        setting=last.setting,
        capacity=_capacity(last, gestures[-1].capacity),
        refresh_hz=gestures[-1].refresh_hz,
        work_ms={
            role: statistics.median(
                speed * gesture.work_ms.get(role, 0.0)
                for speed, gesture in zip(speeds, gestures, strict=True)
            )
            for role in roles
        },
        runs_fps=tuple(gesture.fps for gesture in gestures),
    )


def _speed(probe_ms: float | None, usual_ms: float | None) -> float:
    """Return how fast the machine was at a run, against how it is usually; 1 where the probe cannot tell."""
    speed = usual_ms / probe_ms if usual_ms and probe_ms else 1.0
    return speed if 1 / _MOST_SPEED <= speed <= _MOST_SPEED else 1.0


def _capacity(record: Record, told: float | None) -> float:
    if told is not None and not told > 0:
        raise DataError(f"a record of {record.model} has a core of capacity {told:g}; remove its line")
    if told is not None:
        return min(told / FULL_CAPACITY, 1.0)
    profile = profile_of(record.target)
    if profile is None:
        raise DataError(
            f"a record of {record.model} on {record.target} says nothing of its core's capacity; measure on "
            "emulated:SOC, or on a device whose kernel tells it (cpu_capacity)"
        )
    return profile.capacity(record.setting.cluster, record.setting.freq_khz) / FULL_CAPACITY
