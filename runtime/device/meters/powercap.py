"""RAPL through /sys/class/powercap: cumulative uJ that wrap at ``max_energy_range_uj``.

Zones nest: ``core`` and ``uncore`` are parts of ``package-0``, and ``psys`` holds the packages. Only
the packages are added up; a child is never added to its parent. ``intel-rapl-mmio`` shows the same
package a second time and is left out. Kernel: Documentation/power/powercap/powercap.rst.
"""

from __future__ import annotations

import re
from pathlib import Path

from runtime.device.meters.files import check_readable, need_int
from runtime.device.meters.finding import METERS
from runtime.device.meters.meter import About, Count, CounterMeter
from runtime.device.meters.rails import pick
from runtime.device.sysfs import read_int, read_text
from runtime.errors import DeviceStableError

FOLDER = Path("sys/class/powercap")
_TOP_ZONE = re.compile(r"intel-rapl:\d+")
_UPDATE_S = 1e-3  # Intel SDM vol. 3B, 16.10.1: energy status is updated about every millisecond
_MAX_MW = 2e6  # 2 kW, above any package


@METERS.register("rapl")
def find_rapl(root: Path, only: str | None = None) -> CounterMeter:
    """Return the meter of all CPU packages.

    Args:
        only: zones to take instead, by name with shell wildcards, such as ``psys``.

    Raises:
        DeviceStableError: the machine has no such zone.
        PermissionNeeded: the counters are there and may not be read.
    """
    folder = root / FOLDER
    tops = [z for z in sorted(folder.glob("intel-rapl:*")) if _TOP_ZONE.fullmatch(z.name)]
    zones = {f"{read_text(z / 'name') or z.name} ({z.name})": z for z in tops}
    if not zones:
        raise DeviceStableError(f"no intel-rapl zone below {folder} (ARM, virtual machine or container?)")
    wanted = only or "package-*"
    rails = pick({rail: rail.split(" (")[0] for rail in zones}, wanted)
    if not rails:
        raise DeviceStableError(f"no zone {wanted!r} among {', '.join(zones)}")
    files = {rail: zones[rail] / "energy_uj" for rail in rails}
    for file in files.values():
        check_readable(file, "it is for root only since CVE-2020-8694")
    ranges_uj = {rail: read_int(zones[rail] / "max_energy_range_uj") for rail in rails}
    left_out = [rail for rail in zones if rail not in rails]
    notes = (f"left out: {', '.join(left_out)}",) if left_out else ()
    about = About(
        name="rapl",
        basis="rail",
        source=f"RAPL {' + '.join(rails)}",
        sample_rate_hz=2.0,  # to follow more than one wrap
        update_period_s=_UPDATE_S,
        max_mw=_MAX_MW,
        notes=("uJ counters of whole packages, parts not added again", *notes),
    )
    known_uj = {rail: range_uj for rail, range_uj in ranges_uj.items() if range_uj}
    return CounterMeter(
        about, lambda: Count({rail: need_int(file) for rail, file in files.items()}), known_uj
    )
