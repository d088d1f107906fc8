"""Measure any code on this machine: its time, its energy, and whether to believe them."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil

from runtime.device.conditions import Conditions
from runtime.device.meters import EnergyReading, EnergyWindow, find_meter, measure_idle_mw, read_conditions
from runtime.device.setting import Setting
from runtime.measure.verdict import Verdict, judge

_ANYWHERE = Setting("cpu", None, 1)  # nothing was asked of clock and cores, so nothing is held against them


class Measurement:
    """What ``measure`` found out; the figures are there when its block is over.

    Attributes:
        samples_ms: durations of the frames; of the whole block where none was marked.
        duration_s: of the block.
        energy: of the block, as the meter read it; ``None`` without a meter.
        energy_source: which meter and what the figure holds, or why there is none.
        before, after: what the machine did around the block.
        verdict: ``stable`` or ``unstable``; ``reasons`` says why, ``advice`` what to do about it.
    """

    samples_ms: tuple[float, ...] = ()
    duration_s: float = 0.0
    energy: EnergyReading | None = None
    energy_source: str = "the block is not over yet"
    before: Conditions | None = None
    after: Conditions | None = None
    verdict: str = "unstable"
    reasons: tuple[str, ...] = ("the block is not over yet",)
    advice: tuple[str, ...] = ()

    @contextlib.contextmanager
    def frame(self) -> Iterator[None]:
        """Mark one frame: work that is repeated in the block, so that its scatter is known."""
        begin_s = time.perf_counter()
        yield
        self.samples_ms += ((time.perf_counter() - begin_s) * 1e3,)

    @property
    def latency_ms(self) -> float:
        """Median of the frames, or duration of the block where none was marked."""
        return statistics.median(self.samples_ms)

    @property
    def energy_mj(self) -> float | None:
        """Energy of a frame, idle machine included; ``None``: ``energy_source`` says why."""
        if self.energy is None or self.energy.power_mw is None:
            return None
        return self.energy.power_mw * self.energy.duration_s / self.energy.frames

    @property
    def power_mw(self) -> float | None:
        """Mean power over the block; ``None``: ``energy_source`` says why."""
        return None if self.energy is None else self.energy.power_mw

    def __repr__(self) -> str:
        if not self.samples_ms:
            return "Measurement(not over yet)"
        if self.energy_mj is None:
            energy = f"energy not known: {self.energy_source.partition(' (')[0]}"
        else:
            energy = f"{self.energy_mj:.4g} mJ a frame ({self.energy_source})"
        count = "1 frame" if len(self.samples_ms) == 1 else f"median of {len(self.samples_ms)} frames"
        lines = [f"{self.latency_ms:.4g} ms, {count}; {energy}"]
        lines.append(f"{self.verdict}: {'; '.join(self.reasons)}")
        return "\n".join([*lines, *(f"what to do: {what}" for what in self.advice)])


@contextlib.contextmanager
def measure(*, meter: str = "auto", root: Path = Path("/")) -> Iterator[Measurement]:
    """Measure the block on this machine: latency, energy by its meter, conditions, verdict.

    One piece of work timed once is never called stable: mark each repetition with ``m.frame()``.
    Work in child processes, such as an engine's worker, counts as the block's own.

    Args:
        meter: of energy: ``auto`` takes the best there is; ``none``; or one that ``edgekit doctor``
            lists, with ``:net`` to subtract the idle machine, which is measured first.
        root: above ``sys`` and ``proc``.

    Raises:
        ValueError: no such meter.
        DeviceError, PermissionNeeded: the meter that was asked for cannot be read.

    Example:
        >>> with measure() as m:
        ...     for _ in range(20):
        ...         with m.frame():
        ...             _ = sum(range(100_000))
        >>> len(m.samples_ms), m.latency_ms > 0, m.verdict in ("stable", "unstable")
        (20, True, True)
    """
    measured, found = Measurement(), find_meter(root, meter)
    idle_mw, idle_note = None, ""
    if found.meter is not None and found.subtract_idle and found.meter.about.idle_s > 0:
        idle_mw, idle_note = measure_idle_mw(found.meter, found.meter.about.idle_s)
    window = None if found.meter is None else EnergyWindow(found.meter)
    measured.before = _conditions(root, probe=True)
    with contextlib.nullcontext() if window is None else window:
        begin_s = time.perf_counter()
        yield measured
        measured.duration_s = time.perf_counter() - begin_s
    after = _conditions(root)  # counters first: the probe is no work of the block
    measured.after = replace(after, probe_ms=read_conditions(root, with_counters=False, probe=True).probe_ms)
    measured.samples_ms = measured.samples_ms or (measured.duration_s * 1e3,)
    measured.energy_source = found.text
    if window is not None:
        notes = (idle_note,) if idle_note else ()
        measured.energy = window.result(
            len(measured.samples_ms), idle_mw, subtract_idle=found.subtract_idle, notes=notes
        )
        measured.energy_source = measured.energy.text
    found_out = _judge(measured)
    measured.verdict, measured.reasons, measured.advice = (
        found_out.verdict,
        found_out.reasons,
        found_out.advice,
    )


def _judge(measured: Measurement) -> Verdict:
    return judge(
        measured.samples_ms,
        asked=_ANYWHERE,
        read=None,
        before=measured.before,
        after=measured.after,
    )


def _conditions(root: Path, *, probe: bool = False) -> Conditions:
    found = read_conditions(root, pid=os.getpid(), probe=probe)
    own_s = None if found.own_busy_s is None else _busy_s()
    return replace(found, own_busy_s=own_s, edgekit_busy_s=None)  # here the work and edgekit are one process


def _busy_s() -> float:
    """Return the CPU time of this process and of its children, those that ended included."""
    spent = os.times()
    busy_s = spent.user + spent.system + spent.children_user + spent.children_system
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            busy_s += times.user + times.system + times.children_user + times.children_system
    return busy_s
