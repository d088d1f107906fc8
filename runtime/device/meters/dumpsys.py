"""What Android's ``dumpsys`` prints about battery and heat. Text in, facts out; runs nothing.

Its energy per app (``batterystats``) is not read: it is mostly modelled from ``power_profile.xml``, in mAh.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runtime.device.sysfs import parse_int

STATUSES = {1: "Unknown", 2: "Charging", 3: "Discharging", 4: "Not charging", 5: "Full"}  # BatteryManager
THERMAL = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")  # PowerManager
_TEMPERATURE = re.compile(
    r"Temperature\{mValue=(?P<value>-?\d{1,4}(?:\.\d{1,9})?), mType=(?P<type>-?\d{1,3}), "
    r"mName=(?P<name>[^,}]{1,64}), mStatus=(?P<status>\d)\}"
)


@dataclass(frozen=True)
class DumpsysBattery:
    """``dumpsys battery``; what it does not say is ``None``."""

    status: str | None
    level_pct: int | None
    voltage_mv: int | None
    temp_c: float | None
    charge_uah: int | None
    powered_by: tuple[str, ...]


@dataclass(frozen=True)
class ThermalSensor:
    """One temperature of ``dumpsys thermalservice``; ``kind`` is Android's number (0: CPU, 3: skin)."""

    name: str
    kind: int
    temp_c: float
    status: str


@dataclass(frozen=True)
class DumpsysThermal:
    """``dumpsys thermalservice``: the throttling status, and what the sensors read now."""

    status: str | None
    sensors: tuple[ThermalSensor, ...]


def parse_battery(text: str) -> DumpsysBattery:
    """Return what ``dumpsys battery`` says.

    Example:
        >>> parse_battery("  USB powered: true\\n  status: 2\\n  temperature: 291\\n").powered_by
        ('USB',)
    """
    pairs: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            pairs.setdefault(key.strip().lower(), value.strip())
    powered = tuple(
        line.partition(" powered:")[0].strip()
        for line in text.splitlines()
        if line.partition(" powered:")[2].strip() == "true"
    )
    tenths = parse_int(pairs.get("temperature", ""))
    return DumpsysBattery(
        status=STATUSES.get(parse_int(pairs.get("status", "")) or 0),
        level_pct=parse_int(pairs.get("level", "")),
        voltage_mv=parse_int(pairs.get("voltage", "")),
        temp_c=None if tenths is None else tenths / 10,
        charge_uah=parse_int(pairs.get("charge counter", "")),
        powered_by=powered,
    )


def parse_thermalservice(text: str) -> DumpsysThermal:
    """Return what ``dumpsys thermalservice`` says; of its lists the one from the HAL, which is fresh.

    Example:
        >>> parse_thermalservice("Thermal Status: 2\\n").status
        'moderate'
    """
    status = re.search(r"Thermal Status: (\d)", text)
    fresh = re.search(r"Current temperatures from HAL:(.*?)(?:\nCurrent|\nTemperature|\Z)", text, re.DOTALL)
    sensors = tuple(
        ThermalSensor(m["name"], int(m["type"]), float(m["value"]), _thermal(m["status"]) or "unknown")
        for m in _TEMPERATURE.finditer(fresh[1] if fresh else text)
    )
    return DumpsysThermal(None if status is None else _thermal(status[1]), sensors)


def _thermal(digit: str) -> str | None:
    return THERMAL[int(digit)] if int(digit) < len(THERMAL) else None
