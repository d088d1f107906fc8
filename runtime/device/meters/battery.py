"""Charge and status of the battery, as facts for a record; energy is read elsewhere."""

from __future__ import annotations

from pathlib import Path

from runtime.device.sysfs import read_int

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


def read_capacity_mwh(root: Path = Path("/")) -> tuple[float, str] | None:
    """Return the energy of a full battery in mWh and where it was read; ``None`` where none shows it.

    ``energy_full`` is in uWh; ``charge_full``, in uAh, counts at the pack's nominal voltage
    ``voltage_min_design`` in uV, which is what makers multiply by, and at no other.
    """
    for supply in sorted((root / _SUPPLIES).glob("*")):
        if _read(supply / "type") != "Battery" or _read(supply / "scope") == "Device":
            continue
        energy_uwh = read_int(supply / "energy_full")
        if energy_uwh:
            return energy_uwh / 1e3, f"{supply.name}/energy_full"
        charge_uah, nominal_uv = read_int(supply / "charge_full"), read_int(supply / "voltage_min_design")
        if charge_uah and nominal_uv:
            return charge_uah * nominal_uv / 1e9, f"{supply.name}/charge_full x voltage_min_design"
    return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None
