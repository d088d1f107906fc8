"""The power of a clock that nobody measured, from those that were: one rule for tables and for meters.

Between two measured clocks power follows P = c f^k, a straight line of the logarithms. Beyond them the line
of the nearest two goes on, k held to what is seen there: below, from 0 (all of it static) to 1.5; above,
where the voltage rises with the clock, from 1 to 4.

How far that is off: ``python -m tests.benchmarks.power_model``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

# As neighbours of the tables do at their tops and, of the limits tried, at their bottoms at the least error.
_STEEPEST, _STEEPEST_BELOW = 4.0, 1.5


@dataclass(frozen=True)
class Filled:
    """A power in mW and, in words, from which clocks it is filled in."""

    power_mw: float
    how: str


def fill(measured_mw: Mapping[int, float], freq_khz: int) -> Filled | None:
    """Return the power at a clock that was not measured; ``None`` where nothing was.

    Args:
        measured_mw: by clock in kHz, above 0.

    Example:
        >>> fill({500_000: 50.0, 2_000_000: 400.0}, 1_000_000)
        Filled(power_mw=141.42..., how='between 500 and 2000 MHz')
    """
    clocks = sorted(khz for khz, power_mw in measured_mw.items() if power_mw > 0)
    below = [khz for khz in clocks if khz < freq_khz]
    above = [khz for khz in clocks if khz > freq_khz]
    if below and above:
        low_khz, high_khz = below[-1], above[0]
        power_mw = _along(measured_mw, low_khz, freq_khz, _exponent(measured_mw, low_khz, high_khz))
        return Filled(power_mw, f"between {low_khz / 1000:g} and {high_khz / 1000:g} MHz")
    if not clocks:
        return None
    pair, least, most = (clocks[:2], 0.0, _STEEPEST_BELOW) if above else (clocks[-2:], 1.0, _STEEPEST)
    nearest_khz = clocks[0] if above else clocks[-1]
    exponent = _exponent(measured_mw, *pair) if len(pair) == 2 else 1.0
    power_mw = _along(measured_mw, nearest_khz, freq_khz, min(max(exponent, least), most))
    return Filled(power_mw, f"{'below' if above else 'above'} {nearest_khz / 1000:g} MHz")


def _exponent(measured_mw: Mapping[int, float], low_khz: int, high_khz: int) -> float:
    return math.log(measured_mw[high_khz] / measured_mw[low_khz]) / math.log(high_khz / low_khz)


def _along(measured_mw: Mapping[int, float], from_khz: int, freq_khz: int, exponent: float) -> float:
    return measured_mw[from_khz] * (freq_khz / from_khz) ** exponent
