"""Energy from time at each clock and how busy the cores were. Arithmetic and text; opens no file."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.device.soc.account import Rail
from runtime.device.sysfs import parse_int


def parse_time_in_state(text: str) -> dict[int, int]:
    """Return kHz → ticks of 10 ms (cpufreq's ``stats/time_in_state``).

    Raises:
        ValueError: a line is no clock and count.

    Example:
        >>> parse_time_in_state("300000 1200\\n1800000 34\\n")
        {300000: 1200, 1800000: 34}
    """
    found = {}
    for line in text.splitlines():
        cells = [parse_int(cell) for cell in line.split()]
        if not cells:
            continue
        if len(cells) != 2 or cells[0] is None or cells[1] is None or min(cells[0], cells[1]) < 0:
            raise ValueError(f"has a line {line!r:.60}; <kHz> <ticks of 10 ms> is expected")
        found[cells[0]] = cells[1]
    return found


def mean_power_mw(ticks: Mapping[int, int], rail: Rail, busy_cores: float) -> float:
    """Return the mean power of a cluster over a span: its account at each clock, by the time spent there.

    Time at a clock is no work: it counts while cores sleep, too. How many were busy is known only of the
    whole span.

    Args:
        ticks: spent at each clock (kHz) within the span.
        rail: the cluster's, which has each of these clocks.
        busy_cores: mean over the span, 0 to the cluster's cores.

    Example:
        >>> rail = Rail({1000: 100.0, 2000: 300.0}, {1000: 80.0, 2000: 240.0}, {1000: 0.0, 2000: 0.0})
        >>> mean_power_mw({1000: 50, 2000: 50}, rail, 1.0)
        200.0
    """
    spent = sum(ticks.values())
    if spent == 0:
        return 0.0
    return sum(count * rail.mean_mw(khz, busy_cores) for khz, count in ticks.items()) / spent
