"""Temperature of the SoC."""

from __future__ import annotations

from pathlib import Path

_ZONES = Path("sys/class/thermal")
_IS_CPU = ("cpu", "soc", "x86_pkg_temp", "package", "big", "mid", "lit")


def read_temp_c(root: Path = Path("/")) -> float | None:
    """Return the hottest CPU or SoC zone in degrees C, ``None`` where none is shown.

    Zones are in millidegrees by the ABI (Documentation/ABI/testing/sysfs-class-thermal).
    """
    found = []
    for zone in (root / _ZONES).glob("thermal_zone*"):
        try:
            kind = (zone / "type").read_text().strip().lower()
            temp_c = int((zone / "temp").read_text()) / 1000
        except (OSError, ValueError):
            continue  # zones of switched-off parts refuse to be read
        if any(word in kind for word in _IS_CPU):
            found.append(temp_c)
    return max(found, default=None)
