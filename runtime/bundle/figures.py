"""Figures that stand in files: those that no machine gives are refused, for arithmetic on them overflows."""

from __future__ import annotations

_MOST = 1e20  # of ms, mW, mJ, bytes, ns, seeds


def check_figures(record: object) -> None:
    """Refuse a dataclass one of whose own numbers is infinite, not a number, or of no machine.

    Raises:
        ValueError: one is; it is named.
    """
    for name, value in vars(record).items():
        if isinstance(value, int | float) and not abs(value) <= _MOST:
            told = f"{value:g}" if isinstance(value, float) else "a number of many digits"
            raise ValueError(f"{name} is {told}, not between -{_MOST:g} and {_MOST:g}; measure or tune again")
