"""The text of a Pixel's on-device power monitor. Opens no file.

``energy_value`` of an ``iio:device`` starts with ``t=349894``, ms since boot, and has a line per rail:
``CH3(T=349894)[S2M_VDD_CPUCL2], 30203502``: energy since boot in uWs, which are uJ. Older firmware
leaves ``(T=...)`` out. (google/perfetto, src/android_internal/power_stats.cc and its tests.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TIME = re.compile(r"t=(\d{1,18})")
_RAIL = re.compile(r"CH(\d{1,3})(?:\(T=(\d{1,18})\))?\[([^\[\]]{1,64})\],\s*(\d{1,20})")


@dataclass(frozen=True)
class OdpmText:
    """One look at one device: its clock in ms since boot, and uJ since boot of each rail."""

    time_ms: int
    rails_uj: dict[str, int]


def parse_odpm(text: str) -> OdpmText:
    """Return what ``energy_value`` says.

    Raises:
        ValueError: it is cut off, or of a format that is not known.

    Example:
        >>> parse_odpm("t=349894\\nCH3(T=349894)[S2M_VDD_CPUCL2], 30203502\\n").rails_uj
        {'S2M_VDD_CPUCL2': 30203502}
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    time = _TIME.fullmatch(lines[0]) if lines else None
    if time is None:
        raise ValueError(f"starts with {(lines or [''])[0]!r:.60}; a line t=<ms since boot> is expected")
    rails_uj: dict[str, int] = {}
    stamps_ms = []
    for line in lines[1:]:
        rail = _RAIL.fullmatch(line)
        if rail is None:
            raise ValueError(f"has a line {line!r:.60}; CH<n>(T=<ms>)[<rail>], <uWs> is expected")
        if rail[3] in rails_uj:
            raise ValueError(f"names the rail {rail[3]!r} twice")
        rails_uj[rail[3]] = int(rail[4])
        if rail[2] is not None:
            stamps_ms.append(int(rail[2]))
    if not rails_uj:
        raise ValueError("names no rail")
    # Where rails are stamped themselves, their energy is of that moment, not of the read.
    return OdpmText(max(stamps_ms, default=int(time[1])), rails_uj)
