"""Which rails to add up: never a part to the whole that already holds it. Opens no file."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass

# Rails that feed the whole board, as Jetson, Odroid, Apple, PSUs and ACPI power meters call them. Best
# first: VDD_IN of a Jetson TX2 is the module alone, VDD_MUX the carrier board with its disks and radios.
# VIN_SYS_5V0 and SYS5V (Jetson AGX Orin, Thor, Xavier) are no such rail: GPU, CPU and SoC have feeds of
# their own beside it (rbonghi/jetson_stats#344, #51).
_WHOLE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"vdd_in|pom_5v_in|v?in|soc_total|sys",
        r"(total|system|board)([ _](total|system|board|input|power|pwr))*|(power|pwr)[ _]total",
        r"vdd_mux",
    )
)
# Rails that the whole hangs on itself: a carrier board's, a laptop's charger.
_AROUND = re.compile(r"vdd_mux|(ac|dc|usb|adapter|charger)[ _]in(put)?([ _].*)?", re.IGNORECASE)
# Part → the rail it hangs on, on boards without a rail for the whole.
_FED_BY = {
    re.compile(r"vddq_vdd2_1v8ao", re.IGNORECASE): re.compile(r"vin_sys_5v0", re.IGNORECASE),
    re.compile(r"pout\d*", re.IGNORECASE): re.compile(r"pin\d*", re.IGNORECASE),  # regulators on a PMBus
    re.compile(r"ecore\d+", re.IGNORECASE): re.compile(r"esocket\d+", re.IGNORECASE),  # amd_energy
    re.compile(r"pkg", re.IGNORECASE): re.compile(r"card", re.IGNORECASE),  # graphics cards, xe
    re.compile(r"vd[dn]", re.IGNORECASE): re.compile(r"proc", re.IGNORECASE),  # occ of POWER machines
}


@dataclass(frozen=True)
class Sum:
    """Rails to add up, and what of it a record must say."""

    taken: list[str]
    notes: tuple[str, ...]


def pick(names: Mapping[str, str], wanted: str) -> list[str]:
    """Return the keys whose name fits ``wanted``, a shell pattern; several are joined by commas."""
    patterns = wanted.lower().split(",")
    return [key for key, name in names.items() if any(fnmatch.fnmatchcase(name.lower(), p) for p in patterns)]


def add_up(labels: Mapping[str, str]) -> Sum:
    """Return the rails to add up: the one that feeds the whole board, else those that hang on no other.

    Args:
        labels: rail → its label, of one device.

    Example:
        >>> add_up({rail: rail for rail in ("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC")})
        Sum(taken=['VDD_IN'], notes=('left out, fed by VDD_IN: VDD_CPU_GPU_CV, VDD_SOC',))
        >>> add_up({rail: rail for rail in ("big", "little")}).taken
        ['big', 'little']
    """
    for pattern in _WHOLE:
        if whole := [rail for rail, label in labels.items() if pattern.fullmatch(label.strip())]:
            others = [rail for rail in labels if rail != whole[0]]
            return Sum(whole[:1], (_left_out(whole[0], others),) if others else ())
    feeds = {rail: feed for rail in labels if (feed := _feed(labels, rail)) is not None}
    taken = [rail for rail in labels if rail not in feeds]
    notes = [
        _left_out(feed, [r for r in feeds if feeds[r] == feed]) for feed in dict.fromkeys(feeds.values())
    ]
    if len(taken) > 1:
        notes.insert(0, f"no rail of the whole board: {len(taken)} rails added up")
    return Sum(taken, tuple(notes))


def _feed(labels: Mapping[str, str], rail: str) -> str | None:
    for part, feed in _FED_BY.items():
        if part.fullmatch(labels[rail].strip()):
            return next((other for other, label in labels.items() if feed.fullmatch(label.strip())), None)
    return None


def _left_out(feed: str, rails: list[str]) -> str:
    outer = [rail for rail in rails if _AROUND.fullmatch(rail)]
    parts = ", ".join(rail for rail in rails if rail not in outer)
    return "; ".join(
        f"left out, {what}: {which}"
        for what, which in ((f"fed by {feed}", parts), (f"around {feed}", ", ".join(outer)))
        if which
    )
