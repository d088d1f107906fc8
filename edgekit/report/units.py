"""Figures as people read them, unit included; ``None`` is a dash."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

__all__ = [
    "joules",
    "millijoules",
    "milliseconds",
    "milliwatts",
    "percent",
    "quantity",
    "sentence",
    "short",
    "short_source",
    "significant",
    "size",
]
DASH = "–"
_LONG = 100  # characters of reasons that are folded away
Formatter = Callable[[float], str]


def _dash_for_none(form: Formatter) -> Callable[[float | None], str]:
    @wraps(form)
    def formatted(value: float | None) -> str:
        return DASH if value is None else form(value)

    return formatted


def significant(value: float) -> str:
    """Return ``value`` with three significant digits, or with all digits before the point.

    Example:
        >>> significant(0.04567), significant(12.0), significant(12345.6)
        ('0.0457', '12.0', '12346')
    """
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def joules(energy_mj: float) -> str:
    """Return an energy in mJ, or in J from 1000 mJ on.

    Example:
        >>> joules(5.44), joules(18031.0)
        ('5.44 mJ', '18.0 J')
    """
    if energy_mj < 1000:
        return millijoules(energy_mj)
    return f"{significant(energy_mj / 1000)} J"


def short(value: float) -> str:
    """Return ``value`` as a user would type it.

    Example:
        >>> short(30.0), short(59.94)
        ('30', '59.94')
    """
    return f"{value:.6g}"


@_dash_for_none
def milliseconds(value: float) -> str:
    """Return a latency in ms."""
    return f"{significant(value)} ms"


@_dash_for_none
def millijoules(value: float) -> str:
    """Return an energy in mJ."""
    return f"{significant(value)} mJ"


@_dash_for_none
def milliwatts(value: float) -> str:
    """Return a power in mW."""
    return f"{significant(value)} mW"


@_dash_for_none
def percent(value: float) -> str:
    """Return a percentage with one decimal where that says anything."""
    text = f"{value:.1f} %" if abs(value) < 99.95 or value > 100 else f"{value:.0f} %"
    return text.replace("-", "−")


@_dash_for_none
def quantity(value: float) -> str:
    """Return a number of things in thousands (k), millions (M) or billions (G)."""
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            return f"{significant(value / factor)} {unit}"
    return f"{value:.0f}"


@_dash_for_none
def size(value: float) -> str:
    """Return a size in bytes, kB or MB (powers of 1000)."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= factor:
            return f"{significant(value / factor)} {unit}"
    return f"{value:.0f} B"


def sentence(text: str) -> str:
    """Return ``text`` as a sentence.

    Example:
        >>> sentence("every setting was benched")
        'Every setting was benched.'
    """
    return text[:1].upper() + text[1:].rstrip(".") + "."


def short_source(text: str) -> tuple[str, str]:
    """Return what ``text`` says and the reasons, where it ends with long ones in brackets.

    Example:
        >>> short_source("no power meter (" + "hwmon: no chip; " * 9 + "rapl: none)")[0]
        'no power meter'
        >>> short_source("a table (2020)")
        ('a table (2020)', '')
    """
    head, bracket, tail = text.partition(" (")
    if not bracket or len(tail) < _LONG or not tail.endswith(")"):
        return text, ""
    depth = 1
    for place, character in enumerate(tail):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return (head, tail[:-1]) if place == len(tail) - 1 else (text, "")
    return text, ""
