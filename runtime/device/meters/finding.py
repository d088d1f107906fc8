"""Which meter a machine has: every kind asked in order, the first that answers is taken."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from runtime.device.marker import find_marker
from runtime.device.meters.meter import EnergyMeter, Found
from runtime.errors import DeviceError, PermissionNeeded
from runtime.registry import Registry

Finder = Callable[[Path, str | None], EnergyMeter]
METERS: Registry[Finder] = Registry("meter")
# Real rails first, then the CPU's own count, then the battery (whole device, slow), then a model.
ORDER = ("hwmon", "ina3221", "odpm", "rapl", "battery", "model")
_MODULES = ("fuel_gauge", "hwmon", "ina3221", "odpm", "opp_model", "powercap")


@dataclass(frozen=True)
class MeterState:
    """One kind of meter on this machine: whether it can be read, what it is or why not."""

    name: str
    is_ready: bool
    text: str
    needs_permission: bool = False


def find_meter(root: Path = Path("/"), wanted: str = "auto") -> Found:
    """Return the meter to use, and why the ones before it are not.

    Args:
        root: above ``sys`` and ``proc``.
        wanted: ``auto``; ``none``; or ``NAME`` or ``NAME=RAILS`` of ``list_meters()``, with ``:net`` at
            the end to subtract the idle machine's power. ``RAILS`` are shell patterns joined by
            commas; for ``model`` it is the SoC.

    Raises:
        ValueError: no such kind of meter.
        DeviceError, PermissionNeeded: the one kind that was asked for cannot be used.

    Example:
        >>> found = find_meter()                                   # doctest: +SKIP
        >>> found.meter.about.source if found.meter else found.text
        'RAPL package-0 (intel-rapl:0)'
    """
    spec, _, suffix = wanted.partition(":")
    if suffix not in ("", "net"):
        raise ValueError(f"meter is {wanted!r}; after the colon only 'net' is allowed")
    name, _, only = spec.partition("=")
    subtract_idle = suffix == "net"
    if name == "none":
        return Found(None)
    if name != "auto":
        finder = _meters().get(name)
        return Found(_open(finder, root, only or None), {}, subtract_idle)
    reasons: dict[str, str] = {}
    for kind in _in_order():
        try:
            return Found(_open(_meters().get(kind), root), reasons, subtract_idle)
        except (DeviceError, PermissionNeeded) as err:
            reasons[kind] = str(err)
    return Found(None, reasons, subtract_idle)


def list_meters(root: Path = Path("/")) -> list[MeterState]:
    """Return every kind of meter, best first, and whether this machine has it."""
    states = []
    for kind in _in_order():
        try:
            is_ready, text = _open(_meters().get(kind), root).probe()
            states.append(MeterState(kind, is_ready, text))
        except (DeviceError, PermissionNeeded) as err:
            states.append(MeterState(kind, False, str(err), isinstance(err, PermissionNeeded)))
    return states


def _open(finder: Finder, root: Path, only: str | None = None) -> EnergyMeter:
    """Return the finder's meter; on an emulated machine it says that it is, whatever it reads."""
    meter = finder(root, only)
    marker = find_marker(root)
    if marker is not None and meter.about.provenance == "measured":
        about = meter.about
        notes = (*about.notes, marker.assumed) if marker.assumed else about.notes
        meter.about = replace(about, source=f"emulated {about.source}", provenance="emulated", notes=notes)
    return meter


def _meters() -> Registry[Finder]:
    for module in _MODULES:
        importlib.import_module(f"runtime.device.meters.{module}")  # each registers its own
    return METERS


def _in_order() -> list[str]:
    names = _meters().names()
    known = [kind for kind in ORDER if kind in names]
    # A plug-in's meter is a device somebody put there on purpose: before what the machine has anyway.
    return [kind for kind in names if kind not in ORDER] + known
