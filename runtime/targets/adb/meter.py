"""The energy of a program on a phone: Pixel's rails as root, or the fuel gauge while no charger feeds it.

Files are read on the phone while the program runs, and laid out here for the meters of this machine. A
program starts, loads and warms up before its timed frames, which end with it: their power is that of the
last seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from runtime.device.meters import EnergyReading, Found, Reading, find_meter
from runtime.device.meters.meter import CounterMeter, EnergyMeter, PowerMeter
from runtime.device.meters.window import MIN_UPDATES, Block, energy_of
from runtime.errors import DeviceError, EdgekitError, PermissionNeeded
from runtime.targets.adb.facts import pull, write_tree
from runtime.targets.adb.sampling import INTERVAL_S, Look, watching
from runtime.targets.adb.shell import AdbShell

T = TypeVar("T")
KINDS = ("odpm", "battery")
_IIO, _SUPPLY = "/sys/bus/iio/devices/iio:device*", "/sys/class/power_supply/*"
_STATIC = " ".join((f"{_IIO}/sampling_rate", *(f"{_SUPPLY}/{name}" for name in ("type", "scope", "present"))))
_LIVE = {
    "odpm": (f"{_IIO}/energy_value",),
    "battery": tuple(
        f"{_SUPPLY}/{name}"
        for name in (
            *("status", "online", "current_now", "voltage_now"),
            *("power_now", "energy_now", "charge_counter", "charge_now"),
        )
    ),
}
_QUICK_IDLE_S = 2.0  # as of this machine's meters: a longer look is taken only for net figures
_ON_PHONE = f"read on the phone every {INTERVAL_S:g} s"
OWN_START = "over the last frames of a start of its own"


class AdbMeter:
    """Finds the meter of a phone when it is first asked for, and measures programs with it.

    Args:
        wanted: as ``runtime.device.meters.find_meter`` takes it; of its kinds a phone has ``KINDS``.
    """

    def __init__(self, shell: AdbShell, *, as_root: bool, wanted: str = "auto"):
        self._shell, self._as_root, self._wanted = shell, as_root, wanted
        self._found: Found | None = None
        self._files: dict[str, str] = {}
        self._reason: str | None = None
        self._idle_mw: float | None = None
        self._is_idle_known = False

    @property
    def found(self) -> Found:
        """The meter, and why the others are not."""
        if self._found is None:
            self._found = self._find(self._wanted)
        return self._found

    @property
    def note(self) -> str:
        """Why figures have no energy: no meter and what would give one, or what it said of the last block."""
        found = self.found
        if found.meter is not None:
            return f"{found.meter.about.source}: {self._reason or 'no block was run under it yet'}"
        if not found.reasons:
            return found.text
        why = "; ".join(f"{name}: {reason}" for name, reason in found.reasons.items())
        return f"no power meter on this phone ({why})"

    def use(self, wanted: str) -> None:
        """Take another meter from now on.

        Raises:
            ValueError: phones have no such kind.
            DeviceError, PermissionNeeded: it cannot be used on this one.
        """
        self._found, self._wanted = self._find(wanted), wanted
        self._reason, self._idle_mw, self._is_idle_known = None, None, False

    def measure(
        self, frames: int, work: Callable[[], tuple[float, float]], what: str = OWN_START
    ) -> EnergyReading | None:
        """Do ``work`` and return the energy of its timed frames; without a meter do nothing: ``None``.

        Args:
            work: returns when its frames ended, as the phone's uptime, and how long they took, in s.
            what: which frames these are, in words.
        """
        meter = self.found.meter
        if meter is None:
            return None
        self._read_idle()
        (end_s, duration_s), looks, fault = self._watch(meter.about.name, work)
        block = Block(duration_s, frames, self._idle_mw, self.found.subtract_idle, (f"{_ON_PHONE}, {what}",))
        energy = self._between(looks, end_s, block, fault)
        self._reason = energy.reason
        return energy

    def _read_idle(self) -> None:
        """Look at the idle phone once, where that is quick or net figures are wanted."""
        meter = self.found.meter
        if meter is None or self._is_idle_known:
            return
        self._is_idle_known = True
        idle_s = meter.about.idle_s
        if 0 < idle_s <= _QUICK_IDLE_S or self.found.subtract_idle:
            idle_s = max(idle_s, 2 * MIN_UPDATES * INTERVAL_S)  # less shows too few updates
            _, looks, fault = self._watch(meter.about.name, lambda: time.sleep(idle_s))
            if looks:
                block = Block(looks[-1].time_s - looks[0].time_s, 0)
                self._idle_mw = self._between(looks, looks[-1].time_s, block, fault).gross_mw

    def _watch(self, kind: str, work: Callable[[], T]) -> tuple[T, list[Look], str | None]:
        live = [path for path in self._files if path.rpartition("/")[2] in _names(kind)]
        with watching(self._shell, live, as_root=self._as_root) as watch:
            done = work()
        return done, watch.looks, watch.fault

    def _between(self, looks: Sequence[Look], end_s: float, block: Block, fault: str | None) -> EnergyReading:
        """Return the energy of the last ``block.duration_s`` before ``end_s``."""
        found = self.found.meter
        assert found is not None
        meter, readings = found, list[Reading]()
        with TemporaryDirectory(prefix="edgekit-adb-") as folder:
            root = Path(folder)
            try:
                for look in looks:
                    write_tree(root, {**self._files, **look.files})
                    if not readings:
                        meter = _open(root, self._wanted, found.about.name)
                    if isinstance(meter, (CounterMeter, PowerMeter)):
                        meter.clock = lambda now_s=look.time_s: now_s  # type: ignore[misc]
                    # By the phone's uptime, as the frames are, and not by a monitor's own clock.
                    readings.append(replace(meter.read(), time_s=look.time_s))
            except EdgekitError as err:
                fault = fault or _on_phone(err, root)
        first, last = _at(readings, end_s - block.duration_s), _at(readings, end_s)
        if fault is None and (first is None or last is None):
            seconds = f"{block.duration_s:.3g} s"
            fault = f"{len(readings)} looks at it do not cover the {seconds} of the frames; raise --runs"
        return energy_of(meter.about, first, last, block, fault)

    def _find(self, wanted: str) -> Found:
        kind, is_net = wanted.partition(":")[0].partition("=")[0], wanted.endswith(":net")
        if kind not in ("auto", "none", *KINDS):
            raise ValueError(
                f"meter is {wanted!r}; a phone on adb has {' and '.join(KINDS)}; choose one, auto or none"
            )
        if kind == "none":
            return Found(None)
        every = " ".join(pattern for patterns in _LIVE.values() for pattern in patterns)
        self._files = pull(self._shell, f"{_STATIC} {every}", as_root=self._as_root)
        reasons: dict[str, str] = {}
        with TemporaryDirectory(prefix="edgekit-adb-") as folder:
            root = Path(folder)
            write_tree(root, self._files)
            for name in KINDS if kind == "auto" else (kind,):
                try:
                    return Found(_open(root, wanted, name), reasons, is_net)
                except (DeviceError, PermissionNeeded) as err:
                    reasons[name] = self._advise(name, _on_phone(err, root))
                    if kind != "auto":
                        raise type(err)(f"adb:{self._shell.serial}: {name}: {reasons[name]}") from err
        return Found(None, reasons, is_net)

    def _advise(self, kind: str, reason: str) -> str:
        """Return why a kind of meter cannot be used, and what to do where something helps."""
        if kind == "odpm" and not self._as_root:
            return f"{reason}, and only root may read it: this phone gives none (neither adb root nor su)"
        if kind == "battery" and "unplug" in reason:
            return (
                f"{reason} (adb tcpip 5555; adb connect ADDRESS:5555; pull the cable; then --target "
                "adb:ADDRESS:5555)"
            )
        return reason


def _open(root: Path, wanted: str, name: str) -> EnergyMeter:
    """Return the meter ``name`` of files below ``root``, with the rails that ``wanted`` may choose."""
    spec = wanted.partition(":")[0]
    meter = find_meter(root, spec if spec.partition("=")[0] == name else name).meter
    assert meter is not None
    return meter


def _at(readings: Sequence[Reading], time_s: float) -> Reading | None:
    """Return the reading at a moment between two looks; ``None`` outside of them."""
    for before, after in pairwise(readings):
        if before.time_s <= time_s <= after.time_s and after.time_s > before.time_s:
            share = (time_s - before.time_s) / (after.time_s - before.time_s)
            rails_mj = {
                rail: before.rails_mj.get(rail, 0.0) + share * (mj - before.rails_mj.get(rail, 0.0))
                for rail, mj in after.rails_mj.items()
            }
            energy_mj = before.energy_mj + share * (after.energy_mj - before.energy_mj)
            return Reading(energy_mj, time_s, before.updates, before.gaps, rails_mj)
    return None


def _names(kind: str) -> set[str]:
    return {pattern.rpartition("/")[2] for pattern in _LIVE[kind]}


def _on_phone(err: Exception, root: Path) -> str:
    """Return an error's words with paths of the phone in place of their copies' here."""
    return str(err).replace(f"{root}/", "/")
