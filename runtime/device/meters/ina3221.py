"""Jetson's INA3221 monitors: rails by label, in the hwmon layout and in the older iio one.

hwmon (L4T 35 and later, mainline): ``in<I>_label``, ``in<I>_input`` mV, ``curr<I>_input`` mA, at
times ``power<I>_input`` uW. iio (L4T 32): ``rail_name_<I>``, ``in_power<I>_input`` mW,
``in_voltage<I>_input`` mV, ``in_current<I>_input`` mA, I from 0. ``VDD_IN`` and its like feed the whole
board and stand for all rails below them; boards without one have several feeds, which are added up.
Layouts: Zeus 0.16 ``device/soc/jetson.py``, NVIDIA's developer guides.
"""

from __future__ import annotations

import re
from pathlib import Path

from runtime.device.meters.finding import METERS
from runtime.device.meters.hwmon import Rail, meter_of, picked, rails_of
from runtime.device.meters.meter import EnergyMeter
from runtime.device.sysfs import read_text
from runtime.errors import DeviceStableError

_DRIVERS = ("sys/bus/i2c/drivers/ina3221", "sys/bus/i2c/drivers/ina3221x")
_RAIL_NAME = re.compile(r"rail_name_(\d+)")
_SPARE = re.compile(r"nc|n/a|unused", re.IGNORECASE)
# Linux's drivers/hwmon/ina3221.c: in4 to in6 are the shunts' voltages, in7 and curr4 sums over channels.
_CHANNELS = 3
# Where the chip does not say: three channels, bus and shunt, at the longest usual averaging.
DEFAULT_UPDATE_S = 0.1


@METERS.register("ina3221")
def find_ina3221(root: Path, only: str | None = None) -> EnergyMeter:
    """Return the meter of the board's INA3221 chips.

    Args:
        only: rails to take instead, by label with shell wildcards, such as ``VDD_CPU*``.

    Raises:
        DeviceStableError: there is no such chip or rail.
        PermissionNeeded: it may not be read.
    """
    chips = {}
    for folder in folders(root):
        rails = [rail for rail in _rails(folder) if not _SPARE.fullmatch(rail.label)]
        if only is not None:
            rails = picked("ina3221", rails, only)
        if rails:
            chips[folder] = ("ina3221", rails)
    if not chips:
        where = "below " + " or ".join(str(root / driver) for driver in _DRIVERS)
        raise DeviceStableError(
            f"no INA3221 {where}" if only is None else f"no INA3221 rail {only!r} {where}"
        )
    return meter_of(chips, "ina3221", default_update_s=DEFAULT_UPDATE_S)


def folders(root: Path) -> list[Path]:
    """Return the folders with rails of every INA3221, each chip once, whichever layout it has."""
    found: dict[Path, Path] = {}
    for driver in _DRIVERS:
        for device in sorted((root / driver).glob("*-*")):
            for folder in (*sorted(device.glob("hwmon/hwmon*")), *sorted(device.glob("iio:device*"))):
                found.setdefault(folder.resolve(), folder)
    for folder in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        if re.fullmatch(r"ina3221x?", read_text(folder / "name") or ""):
            found.setdefault(folder.resolve(), folder)
    return list(found.values())


def _rails(folder: Path) -> list[Rail]:
    names = {m[1]: read_text(p) or p.name for p in folder.iterdir() if (m := _RAIL_NAME.fullmatch(p.name))}
    if names:
        return [_iio_rail(folder, i, label) for i, label in sorted(names.items())]
    return [rail for rail in rails_of(folder) if rail.index <= _CHANNELS]


def _iio_rail(folder: Path, index: str, label: str) -> Rail:
    power = folder / f"in_power{index}_input"
    if power.is_file():
        return Rail(label, "power_mw", (power,))
    return Rail(label, "product", (folder / f"in_voltage{index}_input", folder / f"in_current{index}_input"))
