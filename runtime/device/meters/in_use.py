"""The meter that a target uses, and the power of its idle machine: found once, kept for all sessions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from runtime.device.meters.finding import find_meter
from runtime.device.meters.meter import Found
from runtime.device.meters.reading import EnergyReading
from runtime.device.meters.window import EnergyWindow, measure_idle_mw

T = TypeVar("T")
_QUICK_IDLE_S = 2.0  # a baseline that takes longer is measured only when net figures are asked for


class MeterInUse:
    """Finds the meter when it is first asked for.

    Args:
        root: above ``sys``.
        wanted: as ``find_meter`` takes it.

    Example:
        >>> in_use = MeterInUse(Path("/"))                           # doctest: +SKIP
        >>> result, energy = in_use.measure(30, work)                # doctest: +SKIP
        >>> energy.gross_mw                                          # doctest: +SKIP
    """

    def __init__(self, root: Path = Path("/"), wanted: str = "auto"):
        self._root, self._wanted = root, wanted
        self._found: Found | None = None
        self._idle_mw: float | None = None
        self._idle_note: str | None = None
        self._is_idle_known = False
        self._reason: str | None = None

    @property
    def note(self) -> str:
        """Why figures have no energy: no meter, or what it said of the last block."""
        meter = self.found.meter
        if meter is None:
            return self.found.text
        return f"{meter.about.source}: {self._reason or 'no block was run under it yet'}"

    @property
    def found(self) -> Found:
        """The meter, and why the others are not."""
        if self._found is None:
            self._found = find_meter(self._root, self._wanted)
        return self._found

    def use(self, wanted: str) -> None:
        """Take another meter from now on; errors as ``find_meter``."""
        self._found, self._wanted = find_meter(self._root, wanted), wanted
        self._idle_mw, self._idle_note, self._is_idle_known = None, None, False
        self._reason = None

    def read_idle_mw(self, duration_s: float | None = None) -> float | None:
        """Measure the power of the machine while nothing is asked of it, and keep it.

        Args:
            duration_s: default: as long as the meter needs.
        """
        self._is_idle_known = True
        meter = self.found.meter
        if meter is not None and meter.about.idle_s > 0:
            self._idle_mw, self._idle_note = measure_idle_mw(meter, duration_s or meter.about.idle_s)
        return self._idle_mw

    def read_idle_once(self) -> None:
        """Measure the idle machine, unless that is done or takes long and was not asked for."""
        meter = self.found.meter
        is_quick = meter is not None and meter.about.idle_s <= _QUICK_IDLE_S
        if not self._is_idle_known and (is_quick or self.found.subtract_idle):
            self.read_idle_mw()

    def measure(self, frames: int, work: Callable[[], T]) -> tuple[T, EnergyReading | None]:
        """Do ``work`` and return its result and energy; ``None`` without a meter."""
        meter = self.found.meter
        if meter is None:
            return work(), None
        with EnergyWindow(meter) as window:
            done = work()
        energy = window.result(
            frames,
            self._idle_mw,
            subtract_idle=self.found.subtract_idle,
            notes=(self._idle_note,) if self._idle_note else (),
        )
        self._reason = energy.reason
        return done, energy
