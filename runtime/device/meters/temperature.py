"""Temperature of the SoC."""

from __future__ import annotations

from pathlib import Path

from runtime.device.sysfs import read_int, read_text

_ZONES = Path("sys/class/thermal")
_LEAST_C, _MOST_C = -50, 200
_IS_CPU = ("cpu", "soc", "x86_pkg_temp", "package", "big", "mid", "lit")


def read_temp_c(root: Path = Path("/")) -> float | None:
    """Return the hottest CPU or SoC zone in degrees C, ``None`` where none is shown.

    Zones are in millidegrees by the ABI (Documentation/ABI/testing/sysfs-class-thermal); a few vendors'
    are in degrees, which is taken for granted where millidegrees would be ice. What no CPU survives
    is no temperature.
    """
    found = []
    for zone in (root / _ZONES).glob("thermal_zone*"):
        kind, value = read_text(zone / "type"), read_int(zone / "temp")
        if kind is None or value is None:
            continue  # zones of switched-off parts refuse to be read
        temp_c = value / 1000 if abs(value) > _MOST_C else float(value)
        if any(word in kind.lower() for word in _IS_CPU) and _LEAST_C <= temp_c <= _MOST_C:
            found.append(temp_c)
    return max(found, default=None)
