"""A SoC profile as files: what /sys/devices/system/cpu would show on the device.

The actuators that drive a phone drive this tree too. It has no kernel behind it, so ``settle``
does what the kernel does after a write: clamp, and move ``scaling_cur_freq``.
"""

from __future__ import annotations

from pathlib import Path

from runtime.device.soc.clock import GOVERNORS, Clock, settle
from runtime.device.soc.profile import Cluster, SocProfile

CPU_DIR = Path("sys/devices/system/cpu")
VIRTUAL_DRIVER = "edgekit-virtual"
DEFAULT_GOVERNOR = "schedutil"


class SocTree:
    """A fake /sys below ``root``.

    Args:
        profile: the SoC to show.
        root: an empty folder; readers and actuators take it as their ``root``.
        governors: offered by every policy; leave ``userspace`` out to act like many phones.
        driver: its name, which every policy shows.

    Example:
        >>> import tempfile
        >>> from runtime.device.soc import load_profile
        >>> tree = SocTree(load_profile("gs101"), Path(tempfile.mkdtemp()))
        >>> (tree.cpu_dir / "cpufreq/policy4/scaling_max_freq").read_text()
        '2253000\\n'
    """

    def __init__(
        self,
        profile: SocProfile,
        root: Path,
        governors: tuple[str, ...] = GOVERNORS,
        driver: str = VIRTUAL_DRIVER,
    ):
        self.root = root
        self.cpu_dir = root / CPU_DIR
        self.governors = governors
        self._driver = driver
        self.policies = {self.cpu_dir / f"cpufreq/policy{min(c.cpus)}": c for c in profile.clusters}
        cpus = sorted(cpu for cluster in profile.clusters for cpu in cluster.cpus)
        for name in ("possible", "present", "online"):
            _write(self.cpu_dir / name, range_list(cpus))
        _write(self.cpu_dir / "kernel_max", cpus[-1])
        for index, (policy, cluster) in enumerate(self.policies.items()):
            self._write_policy(policy, cluster)
            for cpu in cluster.cpus:
                folder = self.cpu_dir / f"cpu{cpu}"
                _write(folder / "cpu_capacity", round(profile.capacity(cluster)))
                for name in ("core_cpus", "thread_siblings"):
                    _write(folder / f"topology/{name}", f"{1 << cpu:x}")
                    _write(folder / f"topology/{name}_list", cpu)
                for name in ("package_cpus", "core_siblings"):
                    _write(folder / f"topology/{name}", f"{sum(1 << each for each in cpus):x}")
                    _write(folder / f"topology/{name}_list", range_list(cpus))
                _write(folder / "topology/cluster_id", index)
                _write(folder / "topology/core_id", cpu)
                _write(folder / "topology/physical_package_id", 0)
                if cpu > 0:  # as on most machines, the first one cannot be taken off line
                    _write(folder / "online", 1)

    def settle(self) -> None:
        """Move every clock to where a kernel with fully busy CPUs would have it by now."""
        for policy, cluster in self.policies.items():
            self.show(policy, settle(self.read_clock(policy, cluster)))

    def read_clock(self, policy: Path, cluster: Cluster) -> Clock:
        """Return the state that a policy's files ask for."""
        speed = _read(policy / "scaling_setspeed")
        low, high, current = (int(_read(policy / f"scaling_{which}_freq")) for which in ("min", "max", "cur"))
        return Clock(
            available_khz=tuple(opp.freq_khz for opp in cluster.opps),
            governors=self.governors,
            governor=_read(policy / "scaling_governor"),
            min_khz=low,
            max_khz=high,
            current_khz=current,
            setspeed_khz=int(speed) if speed.isdecimal() else None,
        )

    def show(self, policy: Path, clock: Clock) -> None:
        """Write the files that follow from the others."""
        speed = clock.current_khz if clock.governor == "userspace" else "<unsupported>"
        _update(policy / "scaling_setspeed", speed)
        _update(policy / "scaling_cur_freq", clock.current_khz)

    def _write_policy(self, policy: Path, cluster: Cluster) -> None:
        clocks = [opp.freq_khz for opp in cluster.opps]
        cpus = " ".join(str(cpu) for cpu in cluster.cpus)  # the kernel lists these with spaces, not as ranges
        for name, value in {
            "affected_cpus": cpus,
            "related_cpus": cpus,
            "cpuinfo_min_freq": clocks[0],
            "cpuinfo_max_freq": clocks[-1],
            "cpuinfo_transition_latency": 0,
            "scaling_min_freq": clocks[0],
            "scaling_max_freq": clocks[-1],
            "scaling_cur_freq": clocks[-1],
            "scaling_setspeed": "<unsupported>",
            "scaling_available_frequencies": " ".join(str(khz) for khz in clocks),
            "scaling_available_governors": " ".join(self.governors),
            "scaling_governor": DEFAULT_GOVERNOR if DEFAULT_GOVERNOR in self.governors else self.governors[0],
            "scaling_driver": self._driver,
            "stats/time_in_state": "\n".join(f"{khz} 0" for khz in clocks),
            "stats/total_trans": 0,
        }.items():
            _write(policy / name, value)


def range_list(cpus: list[int]) -> str:
    """Write CPU numbers as the kernel does: ``0-3,6``."""
    runs: list[list[int]] = []
    for cpu in cpus:
        if runs and cpu == runs[-1][1] + 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{value}\n")


def _update(path: Path, value: object) -> None:
    if _read(path) != str(value):
        _write(path, value)


def _read(path: Path) -> str:
    return path.read_text().strip()
