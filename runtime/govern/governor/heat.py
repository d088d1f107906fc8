"""A cap on power that keeps a temperature. Pure: a step for each look at the sensor.

As the kernel's step_wise governor does with clocks (drivers/thermal/gov_step_wise.c): a step down while it is
hotter than the limit, a step up while it is cooler by the hysteresis, and nothing in between.
"""

from __future__ import annotations

import math
from collections.abc import Iterable


class HeatCap:
    """Steps up and down the powers of the rows.

    Args:
        limit_c: that the hottest zone should not pass.
        powers_mw: of the rows that may be chosen; ``None`` for unknown ones.
        hysteresis_c: how far below the limit it must be before more is allowed. Many sensors count whole
            degrees: less than three switches to and fro, more stays slow for longer.

    Raises:
        ValueError: no power is known, or a limit that cannot be.

    Example:
        >>> cap = HeatCap(70.0, [100.0, 400.0, 1400.0])
        >>> [cap.step(temp_c) for temp_c in (60.0, 71.0, 72.0, 69.0, 66.0)]
        [inf, 400.0, 100.0, 100.0, 400.0]
    """

    def __init__(self, limit_c: float, powers_mw: Iterable[float | None], hysteresis_c: float = 3.0):
        known = sorted({power_mw for power_mw in powers_mw if power_mw is not None})
        if not known:
            raise ValueError("no power is known of any setting: none can be capped; leave --max-temp-c out")
        if not 0 < limit_c < 150:
            raise ValueError(f"max_temp_c is {limit_c}; it must be between 0 and 150")
        self.limit_c, self.hysteresis_c = limit_c, hysteresis_c
        self._powers_mw = [*known[:-1], math.inf]
        self._step = len(self._powers_mw) - 1

    @property
    def max_power_mw(self) -> float:
        """What a setting may take now; infinite while nothing is capped."""
        return self._powers_mw[self._step]

    def step(self, temp_c: float | None) -> float:
        """Return what a setting may take from now on; no reading leaves it as it is."""
        if temp_c is not None and temp_c > self.limit_c:
            self._step = max(0, self._step - 1)
        elif temp_c is not None and temp_c < self.limit_c - self.hysteresis_c:
            self._step = min(len(self._powers_mw) - 1, self._step + 1)
        return self.max_power_mw
