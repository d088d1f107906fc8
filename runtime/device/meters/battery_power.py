"""The power that one battery gives, by its current or as it tells it."""

from __future__ import annotations

from pathlib import Path

from runtime.device.meters.arithmetic import power_of_uv_ua
from runtime.device.meters.battery import full_mwh
from runtime.device.meters.files import need_int
from runtime.device.meters.gauge import PowerUnit, Units, decide, decide_power
from runtime.device.sysfs import read_int
from runtime.errors import DeviceStableError, DeviceTransientError


def tells_power(battery: Path) -> bool:
    """Return whether a battery tells its power now; 0 is what gauges show that know none."""
    return _tells_current(battery) or bool(read_int(battery / "power_now"))


def power_of(battery: Path) -> CurrentGauge | PowerGauge:
    """Return the better gauge of a battery, which may stand at 0 while another one is drained.

    Raises:
        DeviceTransientError: it has neither.
        DeviceStableError: no unit makes its current or power plausible.
    """
    has_power = (battery / "power_now").exists()
    return PowerGauge(battery) if has_power and not _tells_current(battery) else CurrentGauge(battery)


class CurrentGauge:
    """Voltage x current; its unit is decided at the first current, and again once that one cannot be."""

    how = "voltage x current"

    def __init__(self, battery: Path):
        self.battery = battery
        self._units: Units | None = None
        self._is_negative = False
        self.read_mw()

    @property
    def notes(self) -> tuple[str, ...]:
        """The units and signs decided so far."""
        return () if self._units is None else self._units.notes

    def read_mw(self) -> float:
        """Return the power now.

        Raises:
            DeviceTransientError: the sign changed, or the unit decided before was wrong: later reads have
                the right one.
        """
        current, voltage = need_int(self.battery / "current_now"), need_int(self.battery / "voltage_now")
        if current == 0:
            return 0.0
        units = self._units
        if units is None:
            units, self._is_negative = decide(current, voltage), current < 0
        if (current < 0) != self._is_negative:
            raise DeviceTransientError(
                f"{self.battery.name}: the current changed its sign; unplug the charger"
            )
        if not units.fits(current):
            self._units = self._decide_again(current, voltage)
            raise DeviceTransientError(
                f"{self.battery.name}: {units.notes[0]}, but it reads {current} now, so it is "
                f"{self._units.notes[0]}; what was counted before is void: run the block again"
            )
        self._units = units
        return power_of_uv_ua(voltage * units.voltage_uv, abs(current) * units.current_ua)

    def _decide_again(self, current: int, voltage: int) -> Units:
        try:
            return decide(current, voltage)
        except DeviceStableError as err:
            raise DeviceTransientError(f"{self.battery.name}: {err}; start again") from err


class PowerGauge:
    """``power_now`` of a battery; its unit is decided as a current's is."""

    how = "power_now"

    def __init__(self, battery: Path):
        self.battery = battery
        full = full_mwh(battery)
        self._full_mwh = None if full is None else full[0]
        self._unit: PowerUnit | None = None
        self.read_mw()

    @property
    def notes(self) -> tuple[str, ...]:
        """The unit decided so far."""
        return () if self._unit is None else (self._unit.note,)

    def read_mw(self) -> float:
        """Return the power now.

        Raises:
            DeviceStableError: no unit makes it plausible, or two do.
            DeviceTransientError: the unit decided before was wrong: later reads have the right one.
        """
        power = abs(need_int(self.battery / "power_now"))
        if power == 0:
            return 0.0
        before = self._unit
        if before is None:
            self._unit = decide_power(power, self._full_mwh)
        elif not before.fits(power):
            try:
                self._unit = decide_power(power, self._full_mwh)
            except DeviceStableError as err:
                raise DeviceTransientError(f"{self.battery.name}: {err}; start again") from err
            raise DeviceTransientError(
                f"{self.battery.name}: {before.note}, but it reads {power} now, so it is {self._unit.note}; "
                "what was counted before is void: run the block again"
            )
        assert self._unit is not None
        return power * self._unit.power_uw / 1e3


def _tells_current(battery: Path) -> bool:
    return bool(read_int(battery / "current_now")) and (battery / "voltage_now").is_file()
