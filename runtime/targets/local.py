"""This machine as a target: clusters found in /sys, models run in pinned worker processes."""

from __future__ import annotations

import contextlib
import functools
import platform
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.bundle import Bundle, Variant
from runtime.device.actuators import (
    CLOCKING,
    PINNING,
    CpuFreq,
    FreqDomain,
    allowed_cpus,
    find_uclamp,
    hold_uclamp,
    probe,
)
from runtime.device.core_kinds import read_core_names
from runtime.device.marker import Marker, find_marker
from runtime.device.meters import MeterInUse
from runtime.device.meters.battery import read_capacity_mwh
from runtime.device.setting import Setting
from runtime.device.soc import Cluster, Opp, PowerFigure, SocProfile, load_profile, setting_power
from runtime.device.soc.generic import cluster_names
from runtime.device.soc.span import check_threads
from runtime.device.soc.tree import CPU_DIR
from runtime.engines import EngineProcess
from runtime.errors import DeviceStableError
from runtime.targets.grouping import read_groups
from runtime.targets.local_session import LocalSession
from runtime.targets.name import LOCAL
from runtime.targets.target import settings_of


@dataclass(frozen=True)
class HeldSetting:
    """A setting whose clock is held.

    Attributes:
        domain: of that clock; ``None`` where the machine shows none.
        cpus: that its work belongs on; ``None`` where threads cannot be pinned.
        smt: what is known of cores with several hardware threads, where there are some.
        clock_level: how the clock is held where one was asked for.
    """

    setting: Setting
    domain: FreqDomain | None
    cpus: tuple[int, ...] | None
    smt: str | None
    clock_level: str


class LocalTarget:
    """The machine edgekit runs on; see ``Target``. An emulated one is marked so, and shows its SoC's names.

    Args:
        root: above ``sys``.
        meter: as ``runtime.device.meters.find_meter`` takes it.

    Example:
        >>> from runtime.targets import open_target
        >>> open_target("local").provenance
        'measured'
    """

    name = LOCAL
    provenance = "measured"
    is_modelled = False
    returns_outputs = True

    def __init__(self, root: Path = Path("/"), meter: str = "auto"):
        self.root = root
        self.meter = MeterInUse(root, meter)
        self.capability = probe(root)
        self._emulated = find_marker(root)
        if self._emulated is None:
            self.profile = read_profile(root, allowed_cpus())
        else:
            self.profile = load_profile(self._emulated.soc)
            self.provenance = "emulated"
        self.cpufreq = CpuFreq(root)

    def settings(self, threads: Sequence[int] = (1,), clusters: Sequence[str] = ()) -> tuple[Setting, ...]:
        offered = settings_of(self.profile, threads, clusters, with_clocks=self.capability.level in CLOCKING)
        if self._emulated is None:
            return offered
        reasons = {setting: _why_not(self._emulated, self.profile, setting) for setting in offered}
        if all(reasons.values()):
            raise ValueError(reasons[offered[-1]])
        return tuple(setting for setting, reason in reasons.items() if reason is None)

    @property
    def energy_note(self) -> str:
        """Why there is no energy where no meter gives it."""
        return self.meter.note

    def use_meter(self, wanted: str) -> None:
        """Take another meter from now on; see ``runtime.device.meters.find_meter`` for names and errors."""
        self.meter.use(wanted)

    def read_idle_mw(self, duration_s: float | None = None) -> float | None:
        """Measure the idle machine anew, for all sessions from now on."""
        return self.meter.read_idle_mw(duration_s)

    def read_battery_mwh(self) -> tuple[float, str] | None:
        """Return the energy of the full battery in mWh and where it was read, ``None`` without one."""
        return read_capacity_mwh(self.root)

    def power(self, setting: Setting) -> PowerFigure | None:
        return None if self._emulated is None else setting_power(self.profile, setting)

    @contextlib.contextmanager
    def session(self, bundle: Bundle, variant: Variant, setting: Setting) -> Iterator[LocalSession]:
        with contextlib.ExitStack() as stack:
            held = stack.enter_context(self.hold(setting))
            load = functools.partial(
                EngineProcess,
                variant.engine,
                bundle.file(variant.path),
                graph=variant.graph,
                threads=setting.threads,
                cpus=held.cpus,
                sha256=bundle.sha256(variant.path),
            )
            yield LocalSession(
                stack.enter_context(load()),
                lambda: load(with_profiler=True),
                setting,
                self.cpufreq,
                held.domain,
                self.meter,
                smt=held.smt,
                clock_level=held.clock_level,
            )

    @contextlib.contextmanager
    def hold(self, setting: Setting) -> Iterator[HeldSetting]:
        """Hold the clock of ``setting`` within the block; what runs there is for the caller to place.

        Raises:
            ValueError: no such cluster, clock or number of threads.
            DeviceError, PermissionNeeded: the machine cannot do it.
        """
        cluster = self.profile.cluster(setting.cluster)
        check_threads(cluster, setting.threads)
        if self._emulated is not None and (reason := _why_not(self._emulated, self.profile, setting)):
            raise DeviceStableError(reason)
        domain = None
        self.meter.read_idle_once()
        with contextlib.ExitStack() as stack:
            if cluster.opps or setting.freq_khz is not None:
                domain = self.cpufreq.domain_of(cluster.cpus)
            if domain is not None and setting.freq_khz is not None:
                stack.enter_context(self._hold_clock(domain, cluster, setting.freq_khz))
            cpus = cluster.place(setting.threads) if self.capability.level in PINNING else None
            if domain is not None and cpus is not None:
                domain = self.cpufreq.domain_of(cpus)  # of the cluster's domains those that do the work
            level = self.capability.level if self.capability.level in CLOCKING else "sysfs"
            yield HeldSetting(setting, domain, cpus, _smt_text(cluster), level)

    def _hold_clock(
        self, policy: FreqDomain, cluster: Cluster, freq_khz: int
    ) -> contextlib.AbstractContextManager[None]:
        """Hold the clock itself, or where that may not be done ask the scheduler for its capacity."""
        if self.capability.level != "uclamp":
            return self.cpufreq.hold(policy, freq_khz)
        cluster.opp(freq_khz)
        capacity = self.profile.capacity(cluster, freq_khz)
        return hold_uclamp(find_uclamp(self.root), capacity, capacity)


def _why_not(machine: Marker, profile: SocProfile, setting: Setting) -> str | None:
    """Return why an emulated machine cannot play ``setting``."""
    cluster, khz = profile.cluster(setting.cluster), setting.freq_khz
    capacity = min(
        profile.capacity(part, None if khz is None else part.nearest_khz(khz)) for part in cluster.parts
    )
    if capacity < machine.least_capacity:
        return (
            f"{setting} of {profile.name} has a capacity of {capacity:.0f} of 1024, and the host's scheduler "
            f"leaves at least {machine.least_capacity:.0f} to a core; choose a faster clock"
        )
    cores = len(set(machine.host_cpus.values()))
    if setting.threads > cores:
        return (
            f"{setting} needs {setting.threads} cores of the host, which has {cores} to play "
            f"{profile.name} on; ask for fewer threads"
        )
    return None


def read_profile(root: Path = Path("/"), cpus: Collection[int] | None = None) -> SocProfile:
    """Return the clusters below ``root`` that hold any of ``cpus``, slowest first.

    CPUs belong together that are equal cores with equal clocks, in one clock domain or in several: never by
    index, CPU 0 is little on one SoC and big on the next. What is off line or answers nothing is passed over
    and named in ``notes``.

    Args:
        cpus: that may be used; ``None``: all.

    Raises:
        DeviceStableError: no CPU that the machine shows may be used.
    """
    groups, notes = read_groups(root, cpus)
    if not groups:
        raise DeviceStableError(
            f"{root / CPU_DIR} shows no CPU that may be used (allowed: {sorted(cpus or ())}"
            f"{''.join(f'; {note}' for note in notes)}); bring CPUs online or leave this process's cpuset"
        )
    cores = read_core_names(root)
    names = cluster_names(len(groups))
    machine = platform.machine() or "unknown"
    clusters = []
    title, sources = f"this machine ({machine})", (f"{root / CPU_DIR}",)
    try:
        for name, group in zip(names, groups, strict=True):
            opps = tuple(Opp(khz) for khz in group.clocks_khz if khz > 0)
            per_mhz = _per_mhz(group.capacity, opps)
            core = cores.get(group.cpus[0], machine)
            clusters.append(Cluster(name, core, group.cpus, opps, per_mhz, siblings=group.siblings))
        return SocProfile(LOCAL, title, platform.node(), tuple(clusters), sources, notes)
    except (ValueError, OverflowError) as err:
        raise DeviceStableError(
            f"{root / CPU_DIR} describes no machine ({err}); its driver, or the phone, is at fault"
        ) from err


def _smt_text(cluster: Cluster) -> str | None:
    is_smt = cluster.cores < len(cluster.cpus)
    return f"{cluster.name}: {len(cluster.cpus)} CPUs on {cluster.cores} cores" if is_smt else None


def _per_mhz(capacity: int | None, opps: Sequence[Opp]) -> int | None:
    """Turn ``cpu_capacity``, which is at the highest clock, into a figure per clock."""
    if capacity is None or not opps:
        return None
    return max(1, round(capacity * 1e6 / opps[-1].freq_khz))
