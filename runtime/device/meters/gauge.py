"""Units and signs of a battery's fuel gauge, decided and written down. Opens no file.

By the ABI (Documentation/ABI/testing/sysfs-class-power) ``current_now`` is in uA, negative while
discharging, and ``voltage_now`` in uV. The sign was only fixed in 2020; older drivers have it either
way round, and several vendors give mA. So both are decided from what is plausible for a machine that
is awake, and the decision goes into the record.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.errors import DeviceStableError

MIN_AWAKE_UA = 10_000  # 10 mA: no phone with a running CPU draws less; read as mA it would be 10 A
MIN_VOLTAGE_UV = 1_000_000  # 1 V, below any battery pack
MAX_VOLTAGE_UV = 60_000_000  # 60 V, above any laptop pack; more is another unit
MAX_CURRENT_UA = 20_000_000  # 20 A, above what such a pack gives; more is another unit

_MIN_AWAKE_UW = 10_000  # 10 mW, for the same reason
_MAX_POWER_UW = 300_000_000  # a laptop under full load
_MIN_LASTING_H, _MAX_LASTING_H = 0.25, 500.0


@dataclass(frozen=True)
class Units:
    """What to multiply a gauge's figures by to get uA and uV, and the decisions in words."""

    current_ua: int
    voltage_uv: int
    notes: tuple[str, ...]

    def fits(self, current: int) -> bool:
        """Return whether ``current``, read later, can still be in this unit: no phone draws 10 A."""
        return self.current_ua == 1 or abs(current) < MIN_AWAKE_UA


def decide(current: int, voltage: int) -> Units:
    """Return the units that make a discharging battery's figures plausible.

    Args:
        current, voltage: ``current_now`` and ``voltage_now`` as they are read.

    Raises:
        DeviceStableError: no unit does.

    Example:
        >>> decide(-350_000, 3_850_000).notes
        ('current in uA, negative while discharging (the ABI)', 'voltage in uV (the ABI)')
    """
    size = abs(current)
    if size == 0:
        raise DeviceStableError("current_now reads 0 while discharging: this gauge does not show its current")
    is_ma = size < MIN_AWAKE_UA
    factor_ua = 1000 if is_ma else 1
    if not MIN_AWAKE_UA <= size * factor_ua <= MAX_CURRENT_UA:
        raise DeviceStableError(f"current_now reads {current}: neither in uA nor in mA can that be")
    is_mv = 0 < voltage < MIN_VOLTAGE_UV
    factor_uv = 1000 if is_mv else 1
    if not MIN_VOLTAGE_UV <= voltage * factor_uv <= MAX_VOLTAGE_UV:
        raise DeviceStableError(f"voltage_now reads {voltage}: neither in uV nor in mV can that be")
    unit = (
        f"current in mA, for {size} uA is too little for a machine that is awake"
        if is_ma
        else "current in uA"
    )
    sign = (
        "negative while discharging (the ABI)"
        if current < 0
        else "positive while discharging (an old driver)"
    )
    volts = f"voltage in mV, for {voltage} uV is no battery" if is_mv else "voltage in uV (the ABI)"
    return Units(factor_ua, factor_uv, (f"{unit}, {sign}", volts))


@dataclass(frozen=True)
class PowerUnit:
    """What to multiply ``power_now`` by to get uW, and the decision in words."""

    power_uw: int
    note: str

    def fits(self, power: int) -> bool:
        """Return whether ``power``, read later, can still be in this unit."""
        return _MIN_AWAKE_UW <= power * self.power_uw <= _MAX_POWER_UW


def decide_power(power: int, full_mwh: float | None = None) -> PowerUnit:
    """Return the unit that makes the power of a discharging battery plausible: uW (the ABI) or mW.

    Between 10 mW and 300 mW in uW it could be 10 W to 300 W in mW; then the battery's size decides: none is
    empty within a quarter of an hour, and none keeps a machine that is awake for three weeks.

    Args:
        power: ``power_now`` as it is read, without its sign.
        full_mwh: what the battery holds, where it tells.

    Raises:
        DeviceStableError: neither unit does, or both do.

    Example:
        >>> decide_power(5_657_000).note
        'power in uW (the ABI)'
        >>> decide_power(15_000, full_mwh=50_000).power_uw
        1000
    """
    units = [unit for unit in (_IN_UW, _IN_MW) if unit.fits(power)]
    if not units:
        raise DeviceStableError(f"power_now reads {power}: neither in uW nor in mW can that be")
    if len(units) > 1 and full_mwh is not None:
        lasting_h = {unit: full_mwh / (power * unit.power_uw / 1e3) for unit in units}
        units = [unit for unit in units if _MIN_LASTING_H <= lasting_h[unit] <= _MAX_LASTING_H]
    if len(units) != 1:
        raise DeviceStableError(
            f"power_now reads {power}: {power / 1e3:g} mW in uW (the ABI) or {power / 1e3:g} W in mW, and "
            "the battery does not tell which can be; measure with another meter"
        )
    return units[0]


_IN_UW = PowerUnit(1, "power in uW (the ABI)")
_IN_MW = PowerUnit(1000, "power in mW, for in uW it is too little for a machine that is awake")
