"""This machine as a target: clusters found in /sys, models run in pinned worker processes."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from runtime.actuators import (
    CLOCKING,
    PINNING,
    CpuFreq,
    Policy,
    allowed_cpus,
    find_uclamp,
    hold_uclamp,
    probe,
)
from runtime.bundle import Bundle, Variant
from runtime.conditions import Conditions
from runtime.emulation.marker import Marker, find_marker
from runtime.engines import EngineProcess, Frame, Samples, Tensor, random_inputs
from runtime.errors import DeviceStableError
from runtime.meters import MeterInUse, read_conditions, read_device
from runtime.meters.battery import read_capacity_mwh
from runtime.meters.threads import misplaced, read_threads
from runtime.pacing import Served, WallClock, serve
from runtime.setting import Setting
from runtime.soc import Cluster, Opp, PowerFigure, SocProfile, load_profile, power_mw
from runtime.soc.tree import CPU_DIR
from runtime.sysfs import read_int
from runtime.targets.target import settings_of

_NAMES = {1: ("cpu",), 2: ("little", "big"), 3: ("little", "mid", "big")}


class LocalTarget:
    """The machine edgekit runs on; see ``Target``. An emulated one is marked so, and shows its SoC's names.

    Args:
        root: above ``sys``.
        meter: as ``runtime.meters.find_meter`` takes it.

    Example:
        >>> from runtime.targets import open_target
        >>> open_target("local").provenance
        'measured'
    """

    name = "local"
    provenance = "measured"

    def __init__(self, root: Path = Path("/"), meter: str = "auto"):
        self.root = root
        self._meter = MeterInUse(root, meter)
        self.capability = probe(root)
        self._emulated = find_marker(root)
        if self._emulated is None:
            self.profile = read_profile(root, allowed_cpus())
        else:
            self.profile = load_profile(self._emulated.soc)
            self.provenance = "emulated"
        self._cpufreq = CpuFreq(root)

    def settings(self, threads: Sequence[int] = (1,)) -> tuple[Setting, ...]:
        offered = settings_of(self.profile, threads, with_clocks=self.capability.rung in CLOCKING)
        if self._emulated is None:
            return offered
        return tuple(s for s in offered if _why_not(self._emulated, self.profile, s) is None)

    @property
    def energy_note(self) -> str:
        """Why there is no energy where no meter gives it."""
        return self._meter.found.text

    def use_meter(self, wanted: str) -> None:
        """Take another meter from now on; see ``runtime.meters.find_meter`` for names and errors."""
        self._meter.use(wanted)

    def read_idle_mw(self, duration_s: float | None = None) -> float | None:
        """Measure the idle machine anew, for all sessions from now on."""
        return self._meter.read_idle_mw(duration_s)

    def read_battery_mwh(self) -> tuple[float, str] | None:
        """Return the energy of the full battery in mWh and where it was read, ``None`` without one."""
        return read_capacity_mwh(self.root)

    def power(self, setting: Setting) -> PowerFigure | None:
        if self._emulated is None:
            return None
        cluster = self.profile.cluster(setting.cluster)
        try:
            return power_mw(cluster, setting.freq_khz or cluster.opps[-1].freq_khz, setting.threads)
        except DeviceStableError:
            return None

    @contextlib.contextmanager
    def session(self, bundle: Bundle, variant: Variant, setting: Setting) -> Iterator[LocalSession]:
        cluster = self.profile.cluster(setting.cluster)
        if not 1 <= setting.threads <= len(cluster.cpus):
            raise ValueError(
                f"threads is {setting.threads}; allowed on {cluster.name!r}: 1 to {len(cluster.cpus)}"
            )
        if self._emulated is not None and (reason := _why_not(self._emulated, self.profile, setting)):
            raise DeviceStableError(reason)
        policy = None
        self._meter.read_idle_once()
        with contextlib.ExitStack() as stack:
            if cluster.opps or setting.freq_khz is not None:
                policy = self._cpufreq.policy_of(cluster.cpus)
            if policy is not None and setting.freq_khz is not None:
                stack.enter_context(self._hold_clock(policy, cluster, setting.freq_khz))
            # The last CPUs: the first one does the kernel's housekeeping.
            cpus = cluster.cpus[-setting.threads :] if self.capability.rung in PINNING else None
            path = bundle.file(variant.path)
            process = EngineProcess(variant.engine, path, threads=setting.threads, cpus=cpus)
            model = stack.enter_context(process)
            yield LocalSession(
                model,
                setting,
                self._cpufreq,
                policy,
                self._meter,
                clock_rung=self.capability.rung if self.capability.rung in CLOCKING else "sysfs",
            )

    def _hold_clock(
        self, policy: Policy, cluster: Cluster, freq_khz: int
    ) -> contextlib.AbstractContextManager[None]:
        """Hold the clock itself, or where that may not be done ask the scheduler for its capacity."""
        if self.capability.rung != "uclamp":
            return self._cpufreq.hold(policy, freq_khz)
        cluster.opp(freq_khz)
        capacity = self.profile.capacity(cluster, freq_khz)
        return hold_uclamp(find_uclamp(self.root), capacity, capacity)


class LocalSession:
    """See ``Session``."""

    def __init__(
        self,
        model: EngineProcess,
        setting: Setting,
        cpufreq: CpuFreq,
        policy: Policy | None,
        meter: MeterInUse,
        clock_rung: str = "sysfs",
    ):
        self.setting = setting
        self.device = read_device(cpufreq.root)
        if (marker := find_marker(cpufreq.root)) is not None:
            self.device["name"] = f"{marker.soc} emulated on {self.device['name']}"
        self._clock_rung = clock_rung
        self.worker_pid: int | None = model.pid
        self.versions = {"engine": model.version, "kernel": platform.release()}
        self._model, self._cpufreq, self._policy = model, cpufreq, policy
        self._inputs = random_inputs(model.inputs)
        self._threads_read: int | None = None
        self._meter = meter

    @property
    def rung(self) -> str:
        if self.setting.freq_khz is not None:
            return self._clock_rung
        return "affinity" if self._model.cpus is not None else "threads"

    @property
    def setting_read(self) -> Setting | None:
        if self._threads_read is None:
            return None  # a pool shows its size only after it has worked
        freq_khz = self._cpufreq.read_khz(self._policy) if self._policy is not None else None
        return Setting(self.setting.cluster, freq_khz, self._threads_read)

    def run(self, inputs: Sequence[Tensor] | None = None) -> Frame:
        return self._model.run(self._inputs if inputs is None else inputs)

    def sample(self, *, warmup: int, runs: int, fps: float | None = None) -> Samples:
        if self._meter.found.meter is None:
            samples = self._model.sample(self._inputs, warmup=warmup, runs=runs, fps=fps)
        else:  # the cold frame and the warm-up stay out of the meter's window
            cold = self._model.sample(self._inputs, warmup=warmup, runs=0)
            timed, energy = self._meter.measure(
                runs, lambda: self._model.sample(self._inputs, warmup=0, runs=runs, fps=fps)
            )
            samples = replace(
                timed, first_ms=cold.first_ms, threads=timed.threads or cold.threads, energy=energy
            )
        self._threads_read = samples.threads
        return replace(samples, misplaced=self._misplaced())

    def _misplaced(self) -> tuple[str, ...]:
        """Look at every thread of the worker: affinity is each one's own, and a cpuset overrides it."""
        cpus = self._model.cpus
        if cpus is None or self.worker_pid is None:
            return ()
        marker = find_marker()  # of the machine that the worker really runs on
        return misplaced(read_threads(self.worker_pid), cpus if marker is None else marker.map(cpus))

    def serve(self, inputs: Sequence[Sequence[Tensor]], frames: int, fps: float | None) -> Served:
        return serve(self, inputs, frames, fps, WallClock())

    def conditions(self, *, probe: bool = False) -> Conditions:
        return read_conditions(
            self._cpufreq.root,
            pid=self.worker_pid,
            cpus=self._model.cpus,
            policy=None if self._policy is None else self._policy.path,
            probe=probe,
        )


def _why_not(machine: Marker, profile: SocProfile, setting: Setting) -> str | None:
    """Return why an emulated machine cannot play ``setting``."""
    capacity = profile.capacity(setting.cluster, setting.freq_khz)
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

    CPUs belong together that share a clock domain; without one, those of equal ``cpu_capacity``:
    never by index, CPU 0 is little on one SoC and big on the next.

    Args:
        cpus: that may be used; ``None``: all.
    """
    capacities = _read_capacities(root)
    groups: list[tuple[tuple[int, ...], tuple[Opp, ...]]] = [
        (policy.cpus, tuple(Opp(khz) for khz in policy.available_khz)) for policy in CpuFreq(root).policies()
    ]
    if not groups:
        by_capacity: dict[int | None, list[int]] = {}
        for cpu, capacity in capacities.items():
            by_capacity.setdefault(capacity, []).append(cpu)
        groups = [(tuple(group), ()) for group in by_capacity.values()]
    usable = [(_keep(group, cpus), opps) for group, opps in groups if _keep(group, cpus)]
    if not usable:
        raise DeviceStableError(
            f"{root / CPU_DIR} shows CPUs {[group for group, _ in groups]}, of which none may be used "
            f"(allowed: {sorted(cpus or ())}); bring them online or leave this process's cpuset"
        )
    usable.sort(
        key=lambda found: (
            capacities.get(found[0][0]) or 0,
            found[1][-1].freq_khz if found[1] else 0,
            found[0],
        )
    )
    names = _NAMES.get(len(usable)) or tuple(f"cluster{i}" for i in range(len(usable)))
    machine = platform.machine() or "unknown"
    clusters = tuple(
        Cluster(name, machine, group, opps, _per_mhz(capacities.get(group[0]), opps))
        for name, (group, opps) in zip(names, usable, strict=True)
    )
    return SocProfile(
        "local", f"this machine ({machine})", platform.node(), clusters, sources=(f"{root / CPU_DIR}",)
    )


def _read_capacities(root: Path) -> dict[int, int | None]:
    found: dict[int, int | None] = {}
    for folder in (root / CPU_DIR).glob("cpu[0-9]*"):
        file = folder / "cpu_capacity"
        found[int(folder.name[3:])] = read_int(file)
    return dict(sorted(found.items())) or dict.fromkeys(allowed_cpus() or (0,))


def _keep(group: Sequence[int], cpus: Collection[int] | None) -> tuple[int, ...]:
    return tuple(cpu for cpu in group if cpus is None or cpu in cpus)


def _per_mhz(capacity: int | None, opps: Sequence[Opp]) -> int | None:
    """Turn ``cpu_capacity``, which is at the highest clock, into a figure per clock."""
    if capacity is None or not opps:
        return None
    return max(1, round(capacity * 1e6 / opps[-1].freq_khz))
