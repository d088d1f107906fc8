"""Energy from time at each clock and how busy the cores were. Arithmetic and text; opens no file."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.device.soc.power import FURTHER_CORE_SHARE
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


def mean_power_mw(ticks: Mapping[int, int], powers_mw: Mapping[int, float], busy_cores: float) -> float:
    """Return the mean power of a cluster over a span.

    Time at a clock is no work: it counts while cores sleep, too. So the power of one busy core at each
    clock is weighed with the time there, and with how many cores were busy; each further one costs the
    share that ``runtime.device.soc.power`` measured.

    Args:
        ticks: spent at each clock (kHz) within the span.
        powers_mw: of one busy core at each of these clocks.
        busy_cores: mean over the span, 0 to the cluster's cores.

    Example:
        >>> mean_power_mw({1000: 50, 2000: 50}, {1000: 100.0, 2000: 300.0}, 1.0)
        200.0
    """
    spent = sum(ticks.values())
    if spent == 0:
        return 0.0
    one_mw = sum(count * powers_mw[khz] for khz, count in ticks.items()) / spent
    return one_mw * min(busy_cores, 1.0) + one_mw * FURTHER_CORE_SHARE * max(0.0, busy_cores - 1.0)
