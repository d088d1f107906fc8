"""Charge and status of the batteries, as facts for a record; energy is read elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runtime.device.meters.supplies import batteries, read_word
from runtime.device.sysfs import read_int

_TELLING = ("Charging", "Discharging")  # what one battery does, the machine does


def read_battery(root: Path = Path("/")) -> tuple[float | None, str | None]:
    """Return the charge in % and the status (Charging, Discharging, Full, ...) of all batteries together.

    Documentation/ABI/testing/sysfs-class-power of Linux.
    """
    found = batteries(root)
    states = [state for supply in found if (state := read_word(supply / "status")) is not None]
    status = next((word for word in _TELLING if word in states), states[0] if states else None)
    told = {supply: read_int(supply / "capacity") for supply in found}
    # 255, by which some firmware says that it does not know, is no charge.
    charges = {supply: pct for supply, pct in told.items() if pct is not None and 0 <= pct <= 100}
    if not charges:
        return None, status
    sizes_mwh = [full[0] for supply in charges if (full := full_mwh(supply)) is not None]
    # A large battery counts for more, where each tells how large it is.
    weights = sizes_mwh if len(sizes_mwh) == len(charges) else None
    return _mean(list(charges.values()), weights), status


def _mean(values: Sequence[float], weights: Sequence[float] | None) -> float:
    shares = weights or [1.0] * len(values)
    return sum(v * share for v, share in zip(values, shares, strict=True)) / sum(shares)


def read_capacity_mwh(root: Path = Path("/")) -> tuple[float, str] | None:
    """Return the energy of all full batteries in mWh and where it was read; ``None`` where one does not tell.

    ``energy_full`` is in uWh; ``charge_full``, in uAh, counts at the pack's nominal voltage
    ``voltage_min_design`` in uV, which is what makers multiply by, and at no other.
    """
    told = [full_mwh(supply) for supply in batteries(root)]
    known = [full for full in told if full is not None]
    if not known or len(known) < len(told):
        return None
    return sum(mwh for mwh, _ in known), " + ".join(where for _, where in known)


def full_mwh(supply: Path) -> tuple[float, str] | None:
    """Return the energy of one full battery in mWh and where it was read, ``None`` where it does not tell."""
    energy_uwh = read_int(supply / "energy_full")
    if energy_uwh is not None and energy_uwh > 0:
        return energy_uwh / 1e3, f"{supply.name}/energy_full"
    charge_uah, nominal_uv = read_int(supply / "charge_full"), read_int(supply / "voltage_min_design")
    if charge_uah and nominal_uv and charge_uah > 0 and nominal_uv > 0:
        return charge_uah * nominal_uv / 1e9, f"{supply.name}/charge_full x voltage_min_design"
    return None
