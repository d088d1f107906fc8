"""Temperature of the SoC."""

from __future__ import annotations

import re
from pathlib import Path

from runtime.device.sysfs import read_int, read_text

_ZONES = Path("sys/class/thermal")
_CHIPS = Path("sys/class/hwmon")
_LEAST_C, _MOST_C = -50, 200
_MOST_APART_C = 25.0  # between the zones of one SoC; hot spots measured on phones under load are closer
_IS_CPU = re.compile(
    r"cpu|soc|x86_pkg_temp|package|(?<![a-z])(big|mid|lit)|(?<![a-z])cluster\d|tsens_tz_sensor"
    r"|imx_thermal|main\d.thermal|(?<![a-z])tj-thermal",  # i.MX 6 and 7, AM62, the hottest of an Orin
    re.IGNORECASE,
)
# Qualcomm shows a battery's state of charge (soc, socd, bms-soc) and its current among the zones
# (PixelExperience/android-issues#5742), Google the currents at which a core is throttled (ocp_cpu1).
_NO_TEMPERATURE = re.compile(r"socd?|.*(bat|bcl|bms|charg|ocp).*", re.IGNORECASE)
_CPU_CHIP = re.compile(r"k8temp|k10temp|zenpower|coretemp|via_cputemp", re.IGNORECASE)
_MIXED_CHIP = re.compile(
    r"macsmc.*|scmi_sensors|scpi_sensors", re.IGNORECASE
)  # of which labels tell the CPU's
_CPU_LABEL = re.compile(r".*(cpu|soc|core|heatpipe).*", re.IGNORECASE)


def read_temp_c(root: Path = Path("/")) -> float | None:
    """Return the hottest CPU or SoC sensor in degrees C, ``None`` where none is shown.

    Thermal zones come first, hwmon chips where no zone is the CPU's (AMD's k10temp). Zones are in
    millidegrees by the ABI (Documentation/ABI/testing/sysfs-class-thermal); a few vendors' are in degrees, or
    in tenths of them, which is taken for granted where millidegrees would be ice. Beside zones in
    millidegrees such a figure must be near theirs: most others are no temperatures. What no CPU survives is
    none either.
    """
    by_abi: list[float] = []
    guessed: list[float] = []
    for zone in (root / _ZONES).glob("thermal_zone*"):
        kind, value = read_text(zone / "type"), read_int(zone / "temp")
        if kind is None or value is None:
            continue  # zones of switched-off parts refuse to be read
        if not _IS_CPU.search(kind) or _NO_TEMPERATURE.fullmatch(kind):
            continue
        divisor = _divisor(kind, value)
        if _LEAST_C <= value / divisor <= _MOST_C:
            (by_abi if divisor == 1000 else guessed).append(value / divisor)
    if by_abi:
        guessed = [temp_c for temp_c in guessed if abs(temp_c - max(by_abi)) <= _MOST_APART_C]
    return max((*by_abi, *guessed), default=None) if by_abi or guessed else _read_chips_c(root)


def _divisor(kind: str, value: int) -> int:
    """Return how many units of a zone are a degree."""
    if abs(value) <= _MOST_C:
        return 1
    # Qualcomm's older tsens drivers give tenths: 412 is 41.2 degrees (msm8998, sdm660).
    is_tenths = kind.lower().startswith("tsens_tz_sensor") and abs(value) <= _MOST_C * 10
    return 10 if is_tenths else 1000


def _read_chips_c(root: Path) -> float | None:
    """Return the hottest of the CPU's own sensors in hwmon, which are in millidegrees."""
    found: list[float] = []
    for chip in (root / _CHIPS).glob("hwmon*"):
        name = read_text(chip / "name") or ""
        is_mixed = _MIXED_CHIP.fullmatch(name) is not None
        if not (is_mixed or _CPU_CHIP.fullmatch(name) or _IS_CPU.search(name)):
            continue
        by_label = {read_text(chip / f"{i.name[:-6]}_label") or i.name: i for i in chip.glob("temp*_input")}
        if "Tdie" in by_label:  # Tctl of such chips is a fan's set point, up to 27 degrees above it
            by_label.pop("Tctl", None)
        values = [read_int(f) for label, f in by_label.items() if not is_mixed or _CPU_LABEL.fullmatch(label)]
        found += [value / 1000 for value in values if value and _LEAST_C <= value / 1000 <= _MOST_C]
    return max(found, default=None)
