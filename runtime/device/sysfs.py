"""Read the small files of /sys and /proc: one value each, or a reason to have none.

A driver may leave a file out, refuse to read it, or write anything into it; none of that is an
error of ours. What cannot be read, or is no number, is ``None`` and never 0.
"""

from __future__ import annotations

import re
from pathlib import Path

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")  # 20 digits hold every 64-bit number
_MAX_BYTES = 1 << 20
_MAX_CPU = 8192  # CONFIG_NR_CPUS of the largest kernels; more is no list of CPUs


def read_text(path: Path) -> str | None:
    """Return what ``path`` holds without blanks and NULs around it; ``None`` where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_BYTES).decode(errors="replace").strip(" \t\r\n\0")
    except (OSError, ValueError):
        return None


def read_int(path: Path) -> int | None:
    """Return the one integer that ``path`` holds, or ``None``."""
    text = read_text(path)
    return None if text is None else parse_int(text)


def parse_int(text: str) -> int | None:
    """Return ``text`` as an integer of at most 64 bits, or ``None`` if it is anything else.

    Example:
        >>> parse_int("-12"), parse_int("1_000"), parse_int("<unsupported>")
        (-12, None, None)
    """
    return int(text) if _INTEGER.fullmatch(text) else None


def parse_cpu_list(text: str) -> tuple[int, ...] | None:
    """Return the CPUs in the kernel's notation, ``None`` where it is not that.

    Example:
        >>> parse_cpu_list("0-2,6"), parse_cpu_list(""), parse_cpu_list("0-")
        ((0, 1, 2, 6), (), None)
    """
    cpus: set[int] = set()
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        low = parse_int(first)
        high = parse_int(last) if dash else low
        if low is None or high is None or not 0 <= low <= high < _MAX_CPU:
            return None
        cpus.update(range(low, high + 1))
    return tuple(sorted(cpus))
