"""A model in a meter's place: time at each clock x measured power of the SoC at that clock.

It needs no sensor and no root: ``stats/time_in_state`` (10 ms ticks) and ``/proc/stat`` are open to all.
What it says is modelled and marked so; memory, GPU and the board are not in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.device.meters.arithmetic import UJ_PER_MJ
from runtime.device.meters.cpu_time import CpuTime, read_cpu_times
from runtime.device.meters.finding import METERS
from runtime.device.meters.meter import About, Count, CounterMeter
from runtime.device.meters.residency import mean_power_mw, parse_time_in_state
from runtime.device.soc import Cluster, list_profiles, load_profile, rail_of
from runtime.device.soc.account import Rail
from runtime.device.soc.power import ASSUMED
from runtime.device.sysfs import parse_int, read_text
from runtime.errors import DeviceStableError, DeviceTransientError

_POLICIES = Path("sys/devices/system/cpu/cpufreq")
_COMPATIBLE = Path("proc/device-tree/compatible")
_BY_COMPATIBLE = {"hi3660": "kirin960", "sm7150": "sm7150ab"}  # the others carry the profile's own name
_TICK_S = 0.01  # time_in_state counts in USER_HZ, 10 ms
_RATE_HZ = 2.0  # how busy the cores were is a mean over each of these spans


@dataclass(frozen=True)
class _Domain:
    """One clock domain: its statistics, its CPUs, the account of its supply, and whose figures these are."""

    name: str
    stats: Path
    cpus: tuple[int, ...]
    rail: Rail
    note: str


@METERS.register("model")
def find_model(
    root: Path, only: str | None = None, clock: Callable[[], float] = time.monotonic
) -> CounterMeter:
    """Return a meter that computes what the clocks cost.

    Args:
        clock: monotonic seconds.
        only: the SoC, as ``edgekit targets`` names it; default: read from the device tree.

    Raises:
        DeviceStableError: the SoC is not known, or its kernel keeps no time at each clock.
        ValueError: no such SoC.
    """
    name = only or soc_of(read_text(root / _COMPATIBLE) or "")
    if name is None:
        raise DeviceStableError("the SoC is none with measured power; name it: --meter model=SOC")
    profile = load_profile(name)
    if profile.unlike_bases:
        raise DeviceStableError(f"{profile.unlike_bases}; name another profile: --meter model=SOC")
    domains = [_domain(folder, profile.clusters) for folder in sorted((root / _POLICIES).glob("policy*"))]
    if not domains:
        raise DeviceStableError(f"no clock domains below {root / _POLICIES}")
    about = About(
        name="model",
        basis="rail",
        source=f"time at each clock x power table of {profile.name} ({' + '.join(d.name for d in domains)})",
        provenance="modelled",
        sample_rate_hz=_RATE_HZ,
        update_period_s=_TICK_S,
        max_mw=1e5,
        notes=(
            "CPU cores only",
            ASSUMED,
            *(domain.note for domain in domains),
        ),
    )
    return CounterMeter(about, Residency(domains, lambda: read_cpu_times(root), clock).read)


def soc_of(compatible: str) -> str | None:
    """Return the profile for a device tree's ``compatible``: strings like ``qcom,sdm845`` between NULs."""
    words = [word.rpartition(",")[2] for word in compatible.split("\0")]
    names = [_BY_COMPATIBLE.get(word, word) for word in words]
    return next((name for name in names if name in list_profiles()), None)


class Residency:
    """Adds up energy between two looks at all clock domains.

    Args:
        busy: CPU times so far, as ``read_cpu_times``.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        domains: list[_Domain],
        busy: Callable[[], Mapping[int, CpuTime]],
        clock: Callable[[], float],
    ):
        self._domains, self._busy, self._clock = domains, busy, clock
        self._energy_uj = {domain.name: 0.0 for domain in domains}
        self._last: tuple[float, dict[str, dict[int, int]], Mapping[int, CpuTime]] | None = None

    def read(self) -> Count:
        """Return uJ of each domain since the first look."""
        now_s, busy = self._clock(), self._busy()
        ticks = {domain.name: _ticks(domain.stats) for domain in self._domains}
        if self._last is None:
            self._last = now_s, ticks, busy
        elif now_s - self._last[0] >= 2 * _TICK_S:  # below that the ticks would be noise: look again later
            for domain in self._domains:
                self._energy_uj[domain.name] += self._span_uj(domain, now_s, ticks, busy)
            self._last = now_s, ticks, busy
        return Count({name: round(uj) for name, uj in self._energy_uj.items()}, self._last[0])

    def _span_uj(
        self, domain: _Domain, now_s: float, ticks: dict[str, dict[int, int]], busy: Mapping[int, CpuTime]
    ) -> float:
        assert self._last is not None
        last_s, last_ticks, last_busy = self._last
        spent = {k: n - last_ticks[domain.name].get(k, 0) for k, n in ticks[domain.name].items()}
        if any(count < 0 for count in spent.values()) or not spent.keys() <= domain.rail.busy_mw.keys():
            raise DeviceTransientError(f"{domain.stats} went back or has new clocks; start again")
        duration_s = now_s - last_s
        if not sum(spent.values()):  # a domain all of whose CPUs are off keeps no time
            return 0.0
        try:
            used_s = sum(busy[cpu].busy_s - last_busy[cpu].busy_s for cpu in domain.cpus)
        except KeyError as err:
            raise DeviceTransientError(f"CPU {err} went on or off; start again") from err
        busy_cores = min(max(used_s / duration_s, 0.0), float(len(domain.cpus)))
        return mean_power_mw(spent, domain.rail, busy_cores) * duration_s * UJ_PER_MJ


def _ticks(stats: Path) -> dict[int, int]:
    text = read_text(stats)
    if text is None:
        raise DeviceTransientError(f"{stats} is gone; start again")
    try:
        return parse_time_in_state(text)
    except ValueError as err:
        raise DeviceTransientError(f"{stats} {err}") from err


def _domain(folder: Path, clusters: tuple[Cluster, ...]) -> _Domain:
    words = (read_text(folder / "related_cpus") or "").split()
    cpus = tuple(cpu for word in words if (cpu := parse_int(word)) is not None)
    cluster = next((c for c in clusters if set(cpus) <= set(c.cpus)), None)
    if not cpus or cluster is None:
        raise DeviceStableError(f"{folder.name} has CPUs {list(cpus)}: no cluster of the SoC's profile")
    stats = folder / "stats/time_in_state"
    try:
        for khz in _ticks(stats):
            cluster.opp(khz)
    except DeviceTransientError as err:
        raise DeviceStableError(f"{err}; the kernel may be built without CPU_FREQ_STAT") from err
    except ValueError as err:
        raise DeviceStableError(f"{stats} is of another SoC: {err}") from err
    whose = cluster.power_source or "power by the device tree's coefficient"
    return _Domain(cluster.name, stats, cpus, rail_of(cluster), f"{cluster.name}: {whose}")
