"""Axes of a plot: from figures to positions, with round ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_LOG_FROM_RATIO = 6.0
_MOST_RATIO = 1e50


@dataclass(frozen=True)
class Axis:
    """A scale from ``low``..``high`` to the positions ``begin``..``end``."""

    low: float
    high: float
    begin: float
    end: float
    is_log: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return the position of ``value``, held inside the axis."""
        value = min(max(value, self.low), self.high)
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)


def make_axis(values: Sequence[float], begin: float, end: float, most_ticks: int = 8) -> Axis:
    """Return an axis that holds ``values`` with some room; logarithmic where they span a wide range.

    Args:
        values: positive figures.
        begin, end: positions of the two ends.
        most_ticks: ticks that fit.

    Raises:
        ValueError: there are no values, or one is not positive.
    """
    if not values or min(values) <= 0:
        raise ValueError(f"values of an axis are {list(values)[:3]}; at least one, all positive, is needed")
    low, high = min(values), max(values)
    if not high / low < _MOST_RATIO:
        raise ValueError(f"values of an axis go from {low:.3g} to {high:.3g}, which no picture shows")
    if high / low >= _LOG_FROM_RATIO:
        room = (high / low) ** 0.05
        low, high = low / room, high * room
        return Axis(low, high, begin, end, True, _log_ticks(low, high, most_ticks))
    room = 0.08 * (high - low) or 0.1 * high
    low, high = max(0.0, low - room), high + room
    if low < 0.35 * high:
        low = 0.0  # so near zero that a cut axis would only mislead
    return Axis(low, high, begin, end, False, _linear_ticks(low, high, most_ticks))


def axis_from_zero(high: float, begin: float, end: float, most_ticks: int = 8) -> Axis:
    """Return a linear axis from 0 to a little above ``high``, which must be positive."""
    top = 1.06 * high
    return Axis(0.0, top, begin, end, False, _linear_ticks(0.0, top, most_ticks))


def _log_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        inside = tuple(tick for tick in ticks if low <= tick <= high)
        if len(inside) <= most:
            return inside
    return inside[:: math.ceil(len(inside) / most)]


def _linear_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    rough = (high - low) / most
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough)
    first = math.ceil(low / step)
    return tuple(index * step for index in range(first, math.floor(high / step) + 1))
