"""The battery's fuel gauge below /sys/class/power_supply: the whole device, about once a second.

It shows drain only while the battery alone feeds the machine, so it refuses while a charger is
there. Read, best first: voltage x current; ``power_now`` (uW); else what is left (``energy_now`` uWh,
``charge_counter`` or ``charge_now`` uAh), whose steps are so coarse that only long blocks will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runtime.device.meters.arithmetic import UJ_PER_MJ, energy_of_uah, energy_of_uwh, power_of_uv_ua
from runtime.device.meters.files import check_readable, need_int
from runtime.device.meters.finding import METERS
from runtime.device.meters.gauge import decide
from runtime.device.meters.meter import About, Count, CounterMeter, EnergyMeter, PowerMeter
from runtime.device.sysfs import read_int, read_text
from runtime.errors import DeviceStableError, DeviceTransientError

FOLDER = Path("sys/class/power_supply")
_RATE_HZ = 5.0
_MAX_MW = 300_000.0  # a laptop under full load
_MIN_POWER_UW = 10_000  # 10 mW; less is another unit
_LEFT = ("energy_now", "charge_counter", "charge_now")


@METERS.register("battery")
def find_battery(root: Path, only: str | None = None) -> EnergyMeter:
    """Return the meter of the machine's battery.

    Args:
        only: name of the battery, such as ``BAT0``; default: the first there is.

    Raises:
        DeviceStableError: there is none, it is charging, or it shows nothing that can be used.
        PermissionNeeded: it may not be read.
    """
    folder = root / FOLDER
    names = [p.name for p in sorted(folder.glob("*")) if _is_battery(p)]
    name = only if only is not None else names[0] if names else None
    if name is None or name not in names:
        what = "no battery" if only is None else f"no battery {only!r} among {names}"
        raise DeviceStableError(f"{what} below {folder}")
    check_discharging(folder, name)
    battery = folder / name
    if read_int(battery / "current_now") and (battery / "voltage_now").is_file():
        return _by_current(battery)
    if read_int(battery / "power_now"):
        return _by_power(battery)
    left = next((word for word in _LEFT if read_int(battery / word)), None)
    if left is None:
        for word in ("current_now", "power_now", *_LEFT):
            if (battery / word).exists():
                check_readable(battery / word)
        raise DeviceStableError(f"{battery} shows neither current nor power nor what is left")
    return _by_rest(battery, left)


def check_discharging(folder: Path, name: str) -> None:
    """Raise unless the battery alone feeds the machine.

    Raises:
        DeviceStableError: the status is not ``Discharging``, or a charger is online.
    """
    status = read_text(folder / name / "status") or "unknown"
    if status != "Discharging":
        raise DeviceStableError(f"{name} is {status!r}, its current is not the drain: unplug the charger")
    for supply in sorted(folder.glob("*")):
        kind = read_text(supply / "type")
        if kind not in (None, "Battery") and read_int(supply / "online") not in (None, 0):
            raise DeviceStableError(f"{supply.name} is online and feeds the machine too: unplug it")


def _is_battery(supply: Path) -> bool:
    kind = read_text(supply / "type")
    is_named_so = kind is None and supply.name.lower().startswith(("bat", "maxfg", "bms"))
    # scope "Device" is the battery of a mouse or a pen
    return (kind == "Battery" or is_named_so) and read_text(supply / "scope") != "Device"


def _still_discharging(battery: Path) -> None:
    try:
        check_discharging(battery.parent, battery.name)
    except DeviceStableError as err:
        raise DeviceTransientError(f"in mid-run: {err}") from err


def _by_current(battery: Path) -> PowerMeter:
    first = need_int(battery / "current_now")
    units = decide(first, need_int(battery / "voltage_now"))

    def read() -> Mapping[str, float]:
        _still_discharging(battery)
        current, voltage = need_int(battery / "current_now"), need_int(battery / "voltage_now")
        if current * first < 0:
            raise DeviceTransientError(f"{battery.name}: the current changed its sign; unplug the charger")
        return {
            battery.name: power_of_uv_ua(voltage * units.voltage_uv, abs(current) * units.current_ua),
        }

    return PowerMeter(_about(battery, "voltage x current", units.notes), read)


def _by_power(battery: Path) -> PowerMeter:
    power_uw = abs(need_int(battery / "power_now"))
    if power_uw < _MIN_POWER_UW:
        raise DeviceStableError(f"power_now reads {power_uw}: too little for uW, the ABI's unit")

    def read() -> Mapping[str, float]:
        _still_discharging(battery)
        return {battery.name: abs(need_int(battery / "power_now")) / 1e3}

    return PowerMeter(_about(battery, "power_now", ("power in uW (the ABI), whatever its sign",)), read)


def _by_rest(battery: Path, left: str) -> CounterMeter:
    at_first = need_int(battery / left)
    voltage_uv = 1 if left == "energy_now" else _need_voltage_uv(battery)

    def read() -> Count:
        _still_discharging(battery)
        gone = at_first - need_int(battery / left)
        if gone < 0:
            raise DeviceTransientError(f"{battery.name}: {left} rose; unplug the charger")
        gone_mj = energy_of_uwh(gone) if left == "energy_now" else energy_of_uah(gone, voltage_uv)
        return Count({battery.name: round(gone_mj * UJ_PER_MJ)})

    unit = "uWh, 1 uWh = 3.6 mJ" if left == "energy_now" else f"uAh at {voltage_uv / 1e6:.3g} V"
    return CounterMeter(_about(battery, f"fall of {left}", (unit,)), read)


def _need_voltage_uv(battery: Path) -> int:
    voltage_uv = need_int(battery / "voltage_now")
    return voltage_uv * decide(10**6, voltage_uv).voltage_uv


def _about(battery: Path, how: str, notes: tuple[str, ...]) -> About:
    return About(
        name="battery",
        source=f"battery {battery.name}, {how}",
        sample_rate_hz=_RATE_HZ,
        idle_s=15.0,
        max_mw=_MAX_MW,
        notes=("the whole device: screen and radios included", *notes),
    )
