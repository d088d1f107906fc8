"""The fuel gauges of the batteries below /sys/class/power_supply: the whole device, about once a second.

They show drain only while batteries alone feed the machine, so they refuse while a charger is there.
Read, best first: voltage x current; ``power_now`` (uW, or a vendor's mW); else what is left (``energy_now``
uWh, ``charge_counter`` or ``charge_now`` uAh), whose steps are so coarse that only long blocks will do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runtime.device.meters.arithmetic import UJ_PER_MJ, energy_of_uah, energy_of_uwh
from runtime.device.meters.battery_power import power_of, tells_power
from runtime.device.meters.files import check_readable, need_int
from runtime.device.meters.finding import METERS
from runtime.device.meters.gauge import decide
from runtime.device.meters.meter import About, Count, CounterMeter, EnergyMeter, PowerMeter
from runtime.device.meters.supplies import feeding
from runtime.device.sysfs import read_int
from runtime.errors import DeviceStableError, DeviceTransientError

_RATE_HZ = 5.0
_MAX_MW = 300_000.0  # a laptop under full load
_MIN_POWER_MW = 10.0  # less, for a machine that is awake, is another unit
_LEFT = ("energy_now", "charge_counter", "charge_now")


@METERS.register("battery")
def find_battery(root: Path, only: str | None = None) -> EnergyMeter:
    """Return the meter of the batteries that feed the machine, all of them added up.

    Args:
        only: name of one battery, such as ``BAT0``; default: all that are being drained.

    Raises:
        DeviceStableError: there is none, one is charging, or one tells nothing that can be used.
        PermissionNeeded: it may not be read.
    """
    drained = feeding(root, only)

    def watch() -> None:
        try:
            now = feeding(root, only)
        except DeviceStableError as err:
            raise DeviceTransientError(f"in mid-run: {err}") from err
        if now != drained:
            names = ", ".join(supply.name for supply in now)
            raise DeviceTransientError(f"in mid-run another battery took over ({names}); start again")

    if any(tells_power(battery) for battery in drained):
        return _by_power(drained, watch)
    rests = {battery: word for battery in drained for word in _LEFT[::-1] if read_int(battery / word)}
    for battery in drained:
        if battery not in rests:
            for word in ("current_now", "power_now", *_LEFT):
                if (battery / word).exists():
                    check_readable(battery / word)
            raise DeviceStableError(f"{battery} shows neither current nor power nor what is left")
    return _by_rest(rests, watch)


def _by_power(batteries: Sequence[Path], watch: Callable[[], None]) -> PowerMeter:
    gauges = [power_of(battery) for battery in batteries]
    drain_mw = sum(gauge.read_mw() for gauge in gauges)
    if drain_mw < _MIN_POWER_MW:
        names = " + ".join(battery.name for battery in batteries)
        raise DeviceStableError(f"{names} reads {drain_mw:.4g} mW: too little for a machine that is awake")

    def notes() -> tuple[str, ...]:
        return tuple(dict.fromkeys(note for gauge in gauges for note in gauge.notes))

    def read() -> Mapping[str, float]:
        watch()
        before = notes()
        try:
            return {gauge.battery.name: gauge.read_mw() for gauge in gauges}
        finally:
            if notes() != before:  # a unit was decided, or decided anew: for the records from here on
                kept = tuple(note for note in meter.about.notes if note not in before)
                meter.about = replace(meter.about, notes=(*kept, *notes()))

    how = ", ".join(dict.fromkeys(gauge.how for gauge in gauges))
    meter = PowerMeter(_about(batteries, how, notes()), read)
    return meter


def _by_rest(rests: Mapping[Path, str], watch: Callable[[], None]) -> CounterMeter:
    at_first = {battery: need_int(battery / word) for battery, word in rests.items()}
    voltages_uv = {b: 1 if word == "energy_now" else _need_voltage_uv(b) for b, word in rests.items()}

    def gone_uj(battery: Path, word: str) -> int:
        gone = at_first[battery] - need_int(battery / word)
        if gone < 0:
            raise DeviceTransientError(f"{battery.name}: {word} rose; unplug the charger")
        is_energy = word == "energy_now"
        return round(
            UJ_PER_MJ * (energy_of_uwh(gone) if is_energy else energy_of_uah(gone, voltages_uv[battery]))
        )

    def read() -> Count:
        watch()
        return Count({battery.name: gone_uj(battery, word) for battery, word in rests.items()})

    units = tuple(
        "uWh, 1 uWh = 3.6 mJ" if word == "energy_now" else f"uAh at {voltages_uv[battery] / 1e6:.3g} V"
        for battery, word in rests.items()
    )
    how = ", ".join(f"fall of {word}" for word in dict.fromkeys(rests.values()))
    return CounterMeter(_about(list(rests), how, tuple(dict.fromkeys(units))), read)


def _need_voltage_uv(battery: Path) -> int:
    voltage_uv = need_int(battery / "voltage_now")
    return voltage_uv * decide(10**6, voltage_uv).voltage_uv


def _about(batteries: Sequence[Path], how: str, notes: tuple[str, ...]) -> About:
    return About(
        name="battery",
        basis="battery",
        source=f"battery {' + '.join(battery.name for battery in batteries)}, {how}",
        sample_rate_hz=_RATE_HZ,
        idle_s=15.0,
        max_mw=_MAX_MW,
        notes=("the whole device: screen and radios included", *notes),
    )
