"""What a phone does at one moment: its files are copied here in one adb call, and read by our own readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runtime.bundle.staging import staging_folder
from runtime.device.actuators import FreqDomain
from runtime.device.actuators.domains import POLICY_DIR
from runtime.device.conditions import Conditions
from runtime.device.meters import read_conditions
from runtime.device.meters.dumpsys import THERMAL, parse_battery, parse_thermalservice
from runtime.targets.adb.facts import pull, write_tree
from runtime.targets.adb.shell import AdbShell

_THERMAL = "/sys/class/thermal"
_BATTERY = "/sys/class/power_supply/*"
_FILES = (
    f"{_THERMAL}/thermal_zone*/type {_THERMAL}/thermal_zone*/temp "
    f"{_THERMAL}/cooling_device*/type {_THERMAL}/cooling_device*/cur_state "
    f"{_THERMAL}/cooling_device*/max_state {_BATTERY}/type {_BATTERY}/capacity {_BATTERY}/status "
    "/proc/stat /proc/pressure/cpu"
)
_ASK = "; ".join(f'echo "@@ dumpsys {name}"; dumpsys {name} 2>&1' for name in ("battery", "thermalservice"))
_CPU_SENSOR = 0  # android.os.Temperature.TYPE_CPU
_CLOCK = ("scaling_cur_freq", "scaling_max_freq", "scaling_governor")


class AdbConditions:
    """Reads the conditions of one session.

    Args:
        policy: of the session's cluster.
        cpus: that the program is pinned to.
        as_root: phones let only root see most sensors.
    """

    def __init__(
        self, shell: AdbShell, policy: FreqDomain | None, cpus: Sequence[int] | None, *, as_root: bool
    ):
        self._shell, self._cpus, self._as_root = shell, cpus, as_root
        self._folder = None if policy is None else f"/{POLICY_DIR}/{policy.path.name}"

    def read(self) -> Conditions:
        """Return what the phone does now; the probe is for machines that run our own code.

        Raises:
            DeviceTransientError: the phone is gone.
        """
        clock = "" if self._folder is None else " ".join(f"{self._folder}/{name}" for name in _CLOCK)
        files = pull(self._shell, f"{_FILES} {clock}", _ASK, as_root=self._as_root)
        texts = [files.pop(name, "") for name in ("dumpsys battery", "dumpsys thermalservice")]
        with staging_folder() as root:
            write_tree(root, files)
            policy = None if self._folder is None else root / self._folder.lstrip("/")
            return fill_in(read_conditions(root, cpus=self._cpus, policy=policy), *texts)


def fill_in(read: Conditions, battery_text: str, thermal_text: str) -> Conditions:
    """Return ``read`` with what its files did not show and Android's services do.

    Args:
        battery_text, thermal_text: of ``dumpsys battery`` and ``dumpsys thermalservice``.
    """
    battery, thermal = parse_battery(battery_text), parse_thermalservice(thermal_text)
    cpu_temps_c = [sensor.temp_c for sensor in thermal.sensors if sensor.kind == _CPU_SENSOR]
    level_pct = None if battery.level_pct is None else float(battery.level_pct)
    is_throttled = thermal.status not in (None, THERMAL[0])
    status = (f"Android's thermal status={thermal.status}",) if is_throttled else ()
    return replace(
        read,
        temp_c=max(cpu_temps_c, default=None) if read.temp_c is None else read.temp_c,
        cooling=(*read.cooling, *status),
        battery_pct=level_pct if read.battery_pct is None else read.battery_pct,
        battery_status=read.battery_status or battery.status,
    )
