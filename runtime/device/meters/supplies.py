"""Which of /sys/class/power_supply are the machine's batteries, and which of them feed it.

Laptops have two that are drained one after the other (linrunner/TLP#169); bays may be empty
(``present`` 0); phones show one battery twice, as ``battery`` and as its gauge (Pixel's ``maxfg``).
"""

from __future__ import annotations

import re
from pathlib import Path

from runtime.device.sysfs import read_int, read_text
from runtime.errors import DeviceStableError

FOLDER = Path("sys/class/power_supply")
_NAMED_SO = ("bat", "maxfg", "bms")  # where a driver gives no type
# The gauge chip of a battery that another driver shows as a battery, too.
_GAUGE = re.compile(r"maxfg.*|bms.*|.*fg\d*|.*gauge.*|max1[47]\d+.*|bq27.*", re.IGNORECASE)


def batteries(root: Path) -> list[Path]:
    """Return the folder of every battery of the machine that is in its bay, each battery once."""
    found = [supply for supply in sorted((root / FOLDER).glob("*")) if _is_battery(supply)]
    return [supply for supply in found if not _GAUGE.fullmatch(supply.name)] or found


def feeding(root: Path, only: str | None = None) -> list[Path]:
    """Return the batteries that are being drained.

    Args:
        only: name of the one to look at; default: all.

    Raises:
        DeviceStableError: none is there or drained, one is charging, or a charger is online.
    """
    every = batteries(root)
    known = {supply.name: supply for supply in every}
    if only is not None and _is_battery(root / FOLDER / only):
        known[only] = root / FOLDER / only
    chosen = every if only is None else [known[only]] if only in known else []
    if not chosen:
        what = "no battery" if only is None else f"no battery {only!r} among {list(known)}"
        raise DeviceStableError(f"{what} below {root / FOLDER}")
    states = {
        supply: read_word(supply / "status") or "unknown" for supply in dict.fromkeys((*every, *chosen))
    }
    drained = [supply for supply in chosen if states[supply] == "Discharging"]
    charging = [supply for supply, state in states.items() if state == "Charging"]
    for supply in charging or ([] if drained else chosen):
        raise DeviceStableError(
            f"{supply.name} is {states[supply]!r}, its current is not the drain: unplug the charger"
        )
    for supply in sorted((root / FOLDER).glob("*")):
        kind = read_word(supply / "type")
        if kind not in (None, "Battery") and read_int(supply / "online") not in (None, 0):
            raise DeviceStableError(f"{supply.name} is online and feeds the machine too: unplug it")
    return drained


def read_word(path: Path) -> str | None:
    """Return the words of a supply's file in the case of the ABI, which not every vendor's driver keeps to.

    ``DISCHARGING`` and ``discharging`` are ``Discharging`` (Documentation/ABI/testing/sysfs-class-power).
    """
    text = read_text(path)
    return None if text is None else text.capitalize()


def _is_battery(supply: Path) -> bool:
    kind = read_word(supply / "type")
    is_named_so = kind is None and supply.is_dir() and supply.name.lower().startswith(_NAMED_SO)
    # scope "Device" is the battery of a mouse or a pen
    return (
        (kind == "Battery" or is_named_so)
        and read_word(supply / "scope") != "Device"
        and read_int(supply / "present") != 0
    )
