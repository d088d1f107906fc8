"""Files of the devices around the CPUs: battery, energy meter, thermal zones, cooling.

Units by the kernel's ABI documents (sysfs-class-power, sysfs-class-hwmon, sysfs-class-thermal): uV, uA,
uAh, uJ, uW, tenths of a degree for the battery, thousandths for zones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runtime.device.soc.profile import SocProfile

View = Callable[[], object]  # returns what a file holds now

BATTERY = Path("sys/class/power_supply/battery")
USB = Path("sys/class/power_supply/usb")
HWMON = Path("sys/class/hwmon/hwmon0")
THERMAL = Path("sys/class/thermal")
FAKED_CLASSES = ("power_supply", "hwmon", "thermal")
# The host's own meters would pass for the phone's.
HIDDEN_CLASSES = ("powercap", "devfreq")

VOLTAGE_V = 3.85  # nominal voltage of a lithium-ion cell
_FULL_MAH = 4000.0
_CAPACITY_AT_START = 0.8
_AMBIENT_C = 30.0
_WARMING_C_PER_W = 8.0  # a phone's SoC, in round figures: nothing of the profile says
_WARMING_S = 10.0
_WINDOW_S = 0.05  # power and current are means over so long, as of a meter that averages


@dataclass
class Supply:
    """Energy taken, what follows from it, and how warm the clusters are.

    Attributes:
        clusters: of the SoC.
        metered: those of known power; the others show no energy.
    """

    clusters: tuple[str, ...]
    metered: tuple[str, ...]
    energy_mj: dict[str, float] = field(default_factory=dict)
    power_mw: dict[str, float] = field(default_factory=dict)
    temp_c: dict[str, float] = field(default_factory=dict)
    _window_mj: dict[str, float] = field(default_factory=dict)
    _window_s: float = 0.0

    def __post_init__(self) -> None:
        for name in self.clusters:
            self.energy_mj[name] = self.power_mw[name] = self._window_mj[name] = 0.0
            self.temp_c[name] = _AMBIENT_C

    def take(self, spent_mj: dict[str, float], span_s: float) -> None:
        """Count the energy of ``span_s`` seconds, per cluster."""
        self._window_s += span_s
        for name, energy_mj in spent_mj.items():
            self.energy_mj[name] += energy_mj
            self._window_mj[name] += energy_mj
            target_c = _AMBIENT_C + _WARMING_C_PER_W * energy_mj / span_s / 1000
            self.temp_c[name] += (target_c - self.temp_c[name]) * (1 - math.exp(-span_s / _WARMING_S))
        if self._window_s >= _WINDOW_S:
            for name in self.clusters:
                self.power_mw[name] = self._window_mj[name] / self._window_s
                self._window_mj[name] = 0.0
            self._window_s = 0.0

    @property
    def charge_mah(self) -> float:
        """Charge left in the battery."""
        return _CAPACITY_AT_START * _FULL_MAH - sum(self.energy_mj.values()) / VOLTAGE_V / 3600

    def views(self) -> dict[Path, View]:
        """Return every file that changes, and what gives its value."""
        files: dict[Path, View] = {
            BATTERY / "voltage_now": lambda: round(VOLTAGE_V * 1e6),
            # Negative: discharging.
            BATTERY / "current_now": lambda: -round(sum(self.power_mw.values()) / VOLTAGE_V * 1000),
            BATTERY / "charge_now": lambda: round(self.charge_mah * 1000),
            BATTERY / "charge_counter": lambda: round(self.charge_mah * 1000),
            BATTERY / "capacity": lambda: round(100 * self.charge_mah / _FULL_MAH),
            BATTERY / "temp": lambda: round((_AMBIENT_C + (max(self.temp_c.values()) - _AMBIENT_C) / 4) * 10),
        }
        for number, name in enumerate(self.clusters):
            if name in self.metered:
                files[HWMON / f"energy{number + 1}_input"] = _of(self.energy_mj, name)
                files[HWMON / f"power{number + 1}_input"] = _of(self.power_mw, name)
            files[THERMAL / f"thermal_zone{number}/temp"] = _of(self.temp_c, name)
        return files


def _of(values: dict[str, float], name: str) -> View:
    return lambda: round(values[name] * 1000)  # mJ to uJ, mW to uW, degrees to thousandths


def fixed_files(profile: SocProfile, metered: tuple[str, ...]) -> dict[Path, object]:
    """Return every file that does not change, and its value.

    Args:
        metered: clusters that show energy.
    """
    files: dict[Path, object] = {
        BATTERY / "type": "Battery",
        BATTERY / "status": "Discharging",
        BATTERY / "health": "Good",
        BATTERY / "present": 1,
        BATTERY / "technology": "Li-ion",
        BATTERY / "scope": "System",
        BATTERY / "charge_full": round(_FULL_MAH * 1000),
        BATTERY / "charge_full_design": round(_FULL_MAH * 1000),
        USB / "type": "USB",
        USB / "online": 0,
        HWMON / "name": "edgekit",
    }
    for number, cluster in enumerate(profile.clusters):
        if cluster.name in metered:
            files[HWMON / f"energy{number + 1}_label"] = cluster.name
            files[HWMON / f"power{number + 1}_label"] = cluster.name
        zone, cooling = THERMAL / f"thermal_zone{number}", THERMAL / f"cooling_device{number}"
        files |= {
            zone / "type": f"cpu-{cluster.name}",
            zone / "mode": "enabled",
            zone / "policy": "step_wise",
            zone / "trip_point_0_type": "passive",
            zone / "trip_point_0_temp": 85000,
            cooling / "type": f"cpufreq-cpu{min(cluster.cpus)}",
            cooling / "max_state": len(cluster.opps) - 1,
        }
    return files
