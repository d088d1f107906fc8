"""What the kernel makes of a request to cpufreq: pure rules over one clock domain.

Documentation/admin-guide/pm/cpufreq.rst and drivers/cpufreq of Linux: limits are clamped to what the
hardware has, a minimum above the maximum is refused (so the order of writes counts), ``userspace`` runs
the lowest clock at or above the one asked for, and schedutil leaves a quarter of headroom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

GOVERNORS = ("performance", "powersave", "ondemand", "schedutil", "userspace")
DYNAMIC_GOVERNORS = ("ondemand", "schedutil")
HEADROOM = 1.25  # kernel/sched/cpufreq_schedutil.c: freq + (freq >> 2)
PELT_HALF_LIFE_MS = 32.0  # of a utilisation: kernel/sched/pelt.c
UP_THRESHOLD = 0.8  # drivers/cpufreq/cpufreq_ondemand.c: MICRO_FREQUENCY_UP_THRESHOLD is 95, default 80
REQUESTS = ("scaling_governor", "scaling_min_freq", "scaling_max_freq", "scaling_setspeed")


@dataclass(frozen=True)
class Clock:
    """State of one clock domain; clocks in kHz.

    Attributes:
        available_khz: clocks it has, ascending.
        governors: it can run.
        cap_khz: highest clock that cooling leaves; ``None`` does not limit it.
        setspeed_khz: asked of ``userspace``.
    """

    available_khz: tuple[int, ...]
    governors: tuple[str, ...]
    governor: str
    min_khz: int
    max_khz: int
    current_khz: int
    setspeed_khz: int | None = None
    cap_khz: int | None = None


def request(clock: Clock, name: str, text: str) -> Clock | None:
    """Return the clock after ``text`` was written to the file ``name``; ``None`` where it is refused.

    Args:
        name: one of ``REQUESTS``.
    """
    if name == "scaling_governor":
        if text not in clock.governors:
            return None
        speed = clock.current_khz if text == "userspace" else None
        return replace(clock, governor=text, setspeed_khz=clock.setspeed_khz or speed if speed else None)
    if not text.isdecimal():
        return None
    khz = min(max(int(text), clock.available_khz[0]), clock.available_khz[-1])
    if name == "scaling_setspeed":
        return replace(clock, setspeed_khz=khz) if clock.governor == "userspace" else None
    low, high = (khz, clock.max_khz) if name == "scaling_min_freq" else (clock.min_khz, khz)
    return None if low > high else replace(clock, min_khz=low, max_khz=high)


def settle(clock: Clock, utilisation: float = 1.0) -> Clock:
    """Return the clock where its governor would have it by now.

    Args:
        utilisation: work per second as a share of what the domain's highest clock could do, 0 to 1.
    """
    high = clock.max_khz if clock.cap_khz is None else min(clock.max_khz, clock.cap_khz)
    inside = [khz for khz in clock.available_khz if clock.min_khz <= khz <= high]
    # Limits may lie between two clocks, and cooling may go below the minimum.
    allowed = inside or [min(clock.available_khz, key=lambda khz: abs(khz - min(high, clock.min_khz)))]
    return replace(clock, current_khz=_choose(clock, allowed, utilisation))


def _choose(clock: Clock, allowed: Sequence[int], utilisation: float) -> int:
    top_khz = clock.available_khz[-1]
    if clock.governor == "performance":
        return allowed[-1]
    if clock.governor == "powersave":
        return allowed[0]
    if clock.governor == "userspace":
        return _at_least(allowed, clock.setspeed_khz or clock.current_khz)
    if clock.governor == "schedutil":
        return _at_least(allowed, HEADROOM * utilisation * top_khz)
    load = utilisation * top_khz / clock.current_khz  # ondemand: busy share at the clock of now
    if load > UP_THRESHOLD:
        return allowed[-1]
    return _at_least(allowed, clock.available_khz[0] + load * (top_khz - clock.available_khz[0]))


def _at_least(allowed: Sequence[int], khz: float) -> int:
    """Return the lowest clock that is not below ``khz``, else the highest: CPUFREQ_RELATION_L."""
    return next((candidate for candidate in allowed if candidate >= khz), allowed[-1])
