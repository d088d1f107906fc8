"""Charge and status of the battery, as facts for a record; energy is read elsewhere."""

from __future__ import annotations

from pathlib import Path

_SUPPLIES = Path("sys/class/power_supply")


def read_battery(root: Path = Path("/")) -> tuple[float | None, str | None]:
    """Return the charge in % and the status (Charging, Discharging, Full, ...) of the first battery.

    Documentation/ABI/testing/sysfs-class-power of Linux.
    """
    for supply in sorted((root / _SUPPLIES).glob("*")):
        if _read(supply / "type") == "Battery" and _read(supply / "scope") != "Device":
            capacity = _read(supply / "capacity")
            is_number = capacity is not None and capacity.isdecimal()
            return float(capacity) if is_number and capacity else None, _read(supply / "status")
    return None, None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None
