"""Which rails to add up: never a part to the whole that already holds it. Opens no file."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping

# Rails that feed the whole board, as Jetson, Odroid and ACPI power meters call them.
_WHOLE = re.compile(r"(vdd_in|vin_sys_5v0|pom_5v_in|vin|in|total|system|board|soc_total|sys)", re.IGNORECASE)


def pick(names: Mapping[str, str], wanted: str) -> list[str]:
    """Return the keys whose name fits ``wanted``, a shell pattern; several are joined by commas."""
    patterns = wanted.lower().split(",")
    return [key for key, name in names.items() if any(fnmatch.fnmatchcase(name.lower(), p) for p in patterns)]


def add_up(rails: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the rails to add up and those left out: where one feeds the whole board, that one only.

    Args:
        rails: labels of one device.

    Example:
        >>> add_up(["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"])
        (['VDD_IN'], ['VDD_CPU_GPU_CV', 'VDD_SOC'])
        >>> add_up(["big", "little"])
        (['big', 'little'], [])
    """
    all_of = list(rails)
    whole = [rail for rail in all_of if _WHOLE.fullmatch(rail.strip())][:1]
    return (whole, [rail for rail in all_of if rail not in whole]) if whole else (all_of, [])
