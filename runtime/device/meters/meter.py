"""The one face of every source of energy, and the two kinds there are: counters and power sensors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from runtime.device.meters.arithmetic import UJ_PER_MJ, counter_delta, trapezoid_mj
from runtime.device.meters.reading import Reading
from runtime.device.soc.profile import PowerBasis
from runtime.errors import DeviceTransientError, EdgekitError

Clock = Callable[[], float]
# A line drawn over more missed samples than this would be a guess: 0.25 s at the usual 20 Hz.
MAX_GAP_PERIODS = 5


@dataclass(frozen=True)
class About:
    """What is known of a source before it is read.

    Attributes:
        name: of its kind, as ``--meter`` takes it.
        source: device and rails, for the record.
        provenance: ``measured``, ``modelled`` or ``emulated``.
        sample_rate_hz: how often it is looked at while work runs.
        counting_rate_hz: how often it is looked at until enough updates of it were counted; ``None``: no
            oftener than else.
        update_period_s: how often it has a new value; ``None``: seen only by its changing.
        idle_s: how long the idle machine must be watched for a baseline; 0: it does not show in it.
        max_mw: more than this is a wrong unit, not a load.
        notes: units and signs decided, rails left out.
        basis: where it stands: energies of unlike bases are not compared; ``None`` where its rails decide.
    """

    name: str
    source: str
    provenance: str = "measured"
    sample_rate_hz: float = 20.0
    counting_rate_hz: float | None = None
    update_period_s: float | None = None
    idle_s: float = 1.0
    max_mw: float = 1e6
    notes: tuple[str, ...] = ()
    basis: PowerBasis | None = None


class EnergyMeter(Protocol):
    """A source of energy that can be read here and now.

    Example:
        >>> meter = find_meter().meter                    # doctest: +SKIP
        >>> before = meter.read(); work()                 # doctest: +SKIP
        >>> meter.read().energy_mj - before.energy_mj     # doctest: +SKIP
    """

    about: About

    def read(self) -> Reading:
        """Return the energy since the meter was made.

        Raises:
            DeviceTransientError: the source is gone, or what it says cannot be.
        """

    def probe(self) -> tuple[bool, str]:
        """Return whether it can be read, and what it is or why not."""


@dataclass(frozen=True)
class Count:
    """Cumulative energy of each rail in uJ; ``time_s`` where the source stamps it itself."""

    rails_uj: Mapping[str, int]
    time_s: float | None = None


class CounterMeter:
    """A source that counts energy itself.

    Args:
        read: its counters now; raises ``DeviceTransientError`` when it is gone.
        ranges_uj: where each rail's counter wraps; a rail without one never does.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        about: About,
        read: Callable[[], Count],
        ranges_uj: Mapping[str, int] | None = None,
        clock: Clock = time.monotonic,
    ):
        self.about = about
        self._read, self._ranges_uj, self.clock = read, ranges_uj or {}, clock
        self._last: Count | None = None
        self._last_s = float("-inf")
        self._rails_uj: dict[str, int] = {}
        self._updates = 0

    def read(self) -> Reading:
        count = self._read()
        time_s = self.clock() if count.time_s is None else count.time_s
        if time_s < self._last_s:
            back_s = self._last_s - time_s
            raise DeviceTransientError(f"{self.about.source}: its clock went back by {back_s:.3g} s")
        self._last_s = time_s
        if self._last is not None and count.rails_uj != self._last.rails_uj:
            for rail, before_uj in self._last.rails_uj.items():
                self._rails_uj[rail] = self._rails_uj.get(rail, 0) + self._delta_uj(rail, before_uj, count)
            self._updates += 1
        self._last = count
        rails_mj = {rail: self._rails_uj.get(rail, 0) / UJ_PER_MJ for rail in count.rails_uj}
        return Reading(sum(rails_mj.values()), time_s, self._updates, 0, rails_mj)

    def probe(self) -> tuple[bool, str]:
        return _probe(self)

    def _delta_uj(self, rail: str, before_uj: int, count: Count) -> int:
        if rail not in count.rails_uj:
            raise DeviceTransientError(f"{self.about.source}: rail {rail} is gone; start again")
        try:
            return counter_delta(before_uj, count.rails_uj[rail], self._ranges_uj.get(rail))
        except ValueError as err:
            raise DeviceTransientError(
                f"{self.about.source}: the counter of {rail} {err}; start again"
            ) from err


class PowerMeter:
    """A source that shows power only: sampled, and joined by straight lines.

    Args:
        read: power of each rail in mW now; raises ``DeviceTransientError`` when it is gone.
        clock: monotonic seconds.
    """

    def __init__(self, about: About, read: Callable[[], Mapping[str, float]], clock: Clock = time.monotonic):
        self.about = about
        self._read, self.clock = read, clock
        self._last: tuple[float, Mapping[str, float]] | None = None
        self._rails_mj: dict[str, float] = {}
        self._updates = self._gaps = 0

    def read(self) -> Reading:
        rails_mw, time_s = self._read(), self.clock()
        if self._last is not None:
            last_s, last_mw = self._last
            duration_s = time_s - last_s
            if duration_s < 0:
                raise DeviceTransientError(f"{self.about.source}: the clock went back by {-duration_s:.3g} s")
            if rails_mw.keys() != last_mw.keys():
                raise DeviceTransientError(f"{self.about.source}: rails came or went; start again")
            self._gaps += duration_s > MAX_GAP_PERIODS / self.about.sample_rate_hz
            self._updates += rails_mw != last_mw
            for rail, power_mw in rails_mw.items():
                energy_mj = trapezoid_mj(last_mw[rail], power_mw, duration_s)
                self._rails_mj[rail] = self._rails_mj.get(rail, 0.0) + energy_mj
        self._last = time_s, rails_mw
        rails_mj = {rail: self._rails_mj.get(rail, 0.0) for rail in rails_mw}
        return Reading(sum(rails_mj.values()), time_s, self._updates, self._gaps, rails_mj)

    def probe(self) -> tuple[bool, str]:
        return _probe(self)


def _probe(meter: EnergyMeter) -> tuple[bool, str]:
    try:
        meter.read()
    except EdgekitError as err:
        return False, str(err)
    return True, meter.about.source


@dataclass(frozen=True)
class Found:
    """The meter that is used, if any, and why each source before it is not.

    Attributes:
        meter: ``None`` where the machine has none, or none was wanted.
        reasons: kind of source → why it was not taken.
        subtract_idle: whether figures net of the idle machine were asked for.
    """

    meter: EnergyMeter | None
    reasons: dict[str, str] = field(default_factory=dict)
    subtract_idle: bool = False

    @property
    def name(self) -> str | None:
        """The source that is read, and ``net`` where figures are net of the idle machine; ``None``: none."""
        if self.meter is None:
            return None
        return f"{self.meter.about.source} net" if self.subtract_idle else self.meter.about.source

    @property
    def text(self) -> str:
        """What the meter is or, where there is none, why, in one line."""
        if self.meter is not None:
            return self.meter.about.source
        why = "; ".join(f"{name}: {reason}" for name, reason in self.reasons.items())
        return f"no power meter on this machine ({why})" if why else "no power meter was asked for"
