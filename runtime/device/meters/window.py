"""The energy of a block of work: a meter looked at before, after, and by a thread in between."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import psutil

from runtime.device.meters.meter import About, EnergyMeter
from runtime.device.meters.reading import EnergyReading, Reading
from runtime.errors import EdgekitError

MIN_UPDATES = 10  # each end of a window is off by up to one update: this keeps it within 10 %


@dataclass(frozen=True)
class Block:
    """A block of work: how long it took, its frames, and what of the idle machine is known."""

    duration_s: float
    frames: int
    idle_mw: float | None = None
    subtract_idle: bool = False
    notes: tuple[str, ...] = ()


class EnergyWindow:
    """One block of work under a meter. No fault of the meter ever reaches the work.

    The thread integrates what only shows power, follows counters across more than one wrap and
    sees how often the source changes. It reads no oftener than that needs: see ``About``.

    Example:
        >>> with EnergyWindow(meter) as window:          # doctest: +SKIP
        ...     work()
        >>> window.result(frames=30).gross_mw            # doctest: +SKIP
    """

    def __init__(self, meter: EnergyMeter):
        self.meter = meter
        self._ended, self._reading = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._follow, name="edgekit-meter", daemon=True)
        self._first: Reading | None = None
        self._last: Reading | None = None
        self._fault: str | None = None
        self._start_s = self._end_s = 0.0

    def __enter__(self) -> EnergyWindow:
        self._first = self._look()
        self._start_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._last = self._look()
        self._end_s = time.monotonic()
        self._ended.set()
        self._thread.join()

    def result(
        self,
        frames: int,
        idle_mw: float | None = None,
        *,
        subtract_idle: bool = False,
        notes: tuple[str, ...] = (),
    ) -> EnergyReading:
        """Return the energy of the block, or the reason why it is unknown."""
        block = Block(self._end_s - self._start_s, frames, idle_mw, subtract_idle, notes)
        return energy_of(self.meter.about, self._first, self._last, block, self._fault)

    def _follow(self) -> None:
        about = self.meter.about
        rate_hz = about.counting_rate_hz or about.sample_rate_hz
        while not self._ended.wait(1 / rate_hz) and self._fault is None:
            read = self._look()
            if read is not None and self._first is not None:
                is_enough = read.updates - self._first.updates >= MIN_UPDATES
                rate_hz = about.sample_rate_hz if is_enough else rate_hz

    def _look(self) -> Reading | None:
        with self._reading:
            if self._fault is not None:
                return None
            try:
                return self.meter.read()
            except EdgekitError as err:
                self._fault = str(err)
                return None


def energy_of(
    about: About, first: Reading | None, last: Reading | None, block: Block, fault: str | None = None
) -> EnergyReading:
    """Return the energy of a block from what its meter read before and after it, or why it is unknown.

    Args:
        fault: of the meter in between.
    """
    reason = fault or _why_not(about, first, last, block)
    energy_mj, rails_mj = None, {}
    if reason is None and first is not None and last is not None:
        # The looks lie a little outside of the block, or on the source's own clock: take the mean
        # power between them for as long as the block lasted.
        share = block.duration_s / (last.time_s - first.time_s)
        energy_mj = (last.energy_mj - first.energy_mj) * share
        rails_mj = {r: (mj - first.rails_mj.get(r, 0.0)) * share for r, mj in last.rails_mj.items()}
    return EnergyReading(
        energy_mj=energy_mj,
        duration_s=block.duration_s,
        frames=block.frames,
        source=about.source,
        provenance=about.provenance,
        idle_mw=block.idle_mw,
        subtract_idle=block.subtract_idle,
        rails_mj=rails_mj,
        notes=(*about.notes, *block.notes),
        reason=reason,
        basis=about.basis,
    )


def _why_not(about: About, first: Reading | None, last: Reading | None, block: Block) -> str | None:
    if first is None or last is None:
        return "the window is not over yet"
    passed_s = last.time_s - first.time_s
    updates = last.updates - first.updates
    if about.update_period_s is not None:
        updates = int(passed_s / about.update_period_s)
    if updates < MIN_UPDATES or passed_s <= 0:
        seen = f"saw {updates} updates in {block.duration_s:.3g} s"
        return f"{seen}, at least {MIN_UPDATES} are needed; raise --runs"
    if last.gaps > first.gaps:
        missed = f"missed samples in {last.gaps - first.gaps} places"
        return f"{missed} (rate {about.sample_rate_hz:g} Hz); keep the machine calm"
    power_mw = (last.energy_mj - first.energy_mj) / passed_s
    if not 0 <= power_mw <= about.max_mw:
        return f"{power_mw:.4g} mW cannot be (0 to {about.max_mw:g} mW): the unit or sign is not the ABI's"
    if power_mw == 0 and block.frames:  # as a virtual machine shows a counter of its host
        return (
            f"counted nothing in {block.duration_s:.3g} s of work: it stands still; name another by --meter"
        )
    return None


def measure_idle_mw(meter: EnergyMeter, duration_s: float = 1.0) -> tuple[float | None, str]:
    """Return the power of the machine left alone for ``duration_s``, and a remark on it."""
    psutil.cpu_percent()  # counts from here
    with EnergyWindow(meter) as window:
        time.sleep(duration_s)
    busy = f"the machine was {psutil.cpu_percent():.0f} % busy"
    read = window.result(frames=0)
    if read.reason is not None:
        return None, f"no idle power: {read.reason}"
    return read.gross_mw, f"idle over {read.duration_s:.2g} s, in which {busy}"
