"""Arithmetic of meters: units, counters that wrap, the area below samples of power. Opens no file."""

from __future__ import annotations

UJ_PER_MJ = 1000.0
MJ_PER_UWH = 3.6  # 1 uWh = 1e-6 W x 3600 s


def power_of_mv_ma(voltage_mv: float, current_ma: float) -> float:
    """Return mW: mV x mA = uW (hwmon's ``inN_input`` and ``currN_input``)."""
    return voltage_mv * current_ma / 1e3


def power_of_uv_ua(voltage_uv: float, current_ua: float) -> float:
    """Return mW: uV x uA = pW (power_supply's ``voltage_now`` and ``current_now``).

    Example:
        >>> power_of_uv_ua(3_800_000, 250_000)
        950.0
    """
    return voltage_uv * current_ua / 1e9


def energy_of_uwh(energy_uwh: float) -> float:
    """Return mJ of uWh (power_supply's ``energy_now``)."""
    return energy_uwh * MJ_PER_UWH


def energy_of_uah(charge_uah: float, voltage_uv: float) -> float:
    """Return mJ of a charge in uAh that left at ``voltage_uv``."""
    return energy_of_uwh(charge_uah * voltage_uv / 1e6)


def counter_delta(before: int, after: int, range_: int | None) -> int:
    """Return how far a counter went on, across at most one wrap.

    Args:
        before, after: two values of it, in its own unit.
        range_: where it starts again at 0 (powercap's ``max_energy_range_uj``); ``None``: never.

    Raises:
        ValueError: it went back without a range, or is outside of it: no counter, or it was reset.

    Example:
        >>> counter_delta(990, 10, 1000)
        20
    """
    if before < 0 or after < 0 or (range_ is not None and not 0 <= max(before, after) <= range_):
        raise ValueError(f"went from {before} to {after}, outside of 0 to {range_}")
    if after >= before:
        return after - before
    if range_ is None:
        raise ValueError(f"went back from {before} to {after}: it was reset, or is no counter")
    return range_ - before + after


def trapezoid_mj(before_mw: float, after_mw: float, duration_s: float) -> float:
    """Return the energy below the straight line between two samples of power."""
    return (before_mw + after_mw) / 2 * duration_s
