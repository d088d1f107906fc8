"""What a phone does at one moment: its files are copied here in one adb call, and read by our own readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from runtime.actuators import Policy
from runtime.actuators.cpufreq import POLICY_DIR
from runtime.conditions import Conditions
from runtime.meters import read_conditions
from runtime.targets.adb_facts import pull, write_tree
from runtime.targets.adb_shell import AdbShell

_THERMAL = "/sys/class/thermal"
_BATTERY = "/sys/class/power_supply/*"
_FILES = (
    f"{_THERMAL}/thermal_zone*/type {_THERMAL}/thermal_zone*/temp "
    f"{_THERMAL}/cooling_device*/type {_THERMAL}/cooling_device*/cur_state "
    f"{_THERMAL}/cooling_device*/max_state {_BATTERY}/type {_BATTERY}/capacity {_BATTERY}/status "
    "/proc/stat /proc/pressure/cpu"
)
_CLOCK = ("scaling_cur_freq", "scaling_max_freq", "scaling_governor")


class AdbConditions:
    """Reads the conditions of one session.

    Args:
        policy: of the session's cluster.
        cpus: that the program is pinned to.
        as_root: phones let only root see most sensors.
    """

    def __init__(self, shell: AdbShell, policy: Policy | None, cpus: Sequence[int] | None, *, as_root: bool):
        self._shell, self._cpus, self._as_root = shell, cpus, as_root
        self._folder = None if policy is None else f"/{POLICY_DIR}/{policy.path.name}"

    def read(self) -> Conditions:
        """Return what the phone does now; the probe is for machines that run our own code.

        Raises:
            DeviceTransientError: the phone is gone.
        """
        clock = "" if self._folder is None else " ".join(f"{self._folder}/{name}" for name in _CLOCK)
        files = pull(self._shell, f"{_FILES} {clock}", as_root=self._as_root)
        with TemporaryDirectory(prefix="edgekit-adb-") as folder:
            root = Path(folder)
            write_tree(root, files)
            policy = None if self._folder is None else root / self._folder.lstrip("/")
            return read_conditions(root, cpus=self._cpus, policy=policy)
