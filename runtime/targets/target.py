"""What every machine that can run a bundle offers, real or virtual."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from runtime.bundle import Bundle, Variant
from runtime.device.conditions import Conditions
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure, SocProfile
from runtime.device.soc.profile import Cluster
from runtime.device.soc.span import check_threads, least_threads, span_for
from runtime.engines import Frame, ProfiledFrames, Samples, Tensor
from runtime.engines.pacing import PacedFrames


class SampledSession(Protocol):
    """Frames ready to be measured under one setting: of a variant, or of a whole flow.

    Attributes:
        setting: what was asked.
        setting_read: what the machine says it does now; ``None`` where it cannot say.
        control_level: how far clock and cores are controlled; one of
            ``runtime.device.actuators.CONTROL_LEVELS``.
        versions: of what runs the model.
        device: name, soc, arch, kernel and os of the machine, as far as it shows them.
    """

    setting: Setting
    versions: dict[str, str]
    device: dict[str, str]

    @property
    def control_level(self) -> str: ...

    @property
    def setting_read(self) -> Setting | None: ...

    def sample(self, *, warmup: int, runs: int, fps: float | None = None) -> Samples:
        """Return the latencies of ``runs`` frames, after ``warmup`` untimed ones.

        A modelled latency has no noise: it comes as one sample, whatever ``runs`` is.

        Args:
            fps: release each frame at its time, as an app does; ``None`` runs them back to back.
        """

    def conditions(self, *, probe: bool = False) -> Conditions:
        """Return what the machine does now: heat, clock, load, and the probe if it is asked for."""


class Session(SampledSession, Protocol):
    """A variant ready to run under one setting.

    Attributes:
        worker_pid: process that computes, ``None`` where nothing does.
    """

    @property
    def worker_pid(self) -> int | None: ...

    def run(self, inputs: Sequence[Tensor] | None = None) -> Frame:
        """Run one frame; ``None`` runs random inputs of seed 0.

        Raises:
            ValueError: number, shape or dtype of ``inputs`` is not the variant's.
            DeviceError: the engine failed.
        """

    def run_paced(self, inputs: Sequence[Sequence[Tensor]], frames: int, fps: float | None) -> PacedFrames:
        """Release ``frames`` frames at ``fps``, timed by the machine they run on, and run each.

        Args:
            inputs: of the first frames; the others run random ones.
            fps: pace; ``None`` runs them back to back.

        Raises:
            ValueError, DeviceError: see ``run``.
        """


@runtime_checkable
class Profiled(Protocol):
    """A session whose engine can time every op."""

    def profile(self, *, warmup: int, runs: int) -> ProfiledFrames:
        """Load the variant once more with its engine's profiler on, and run ``runs`` frames.

        Raises:
            DeviceError: the engine has no profiler, or failed.
        """


@runtime_checkable
class MeteredSession(Protocol):
    """A session that tells which meter watches its frames; others have none.

    Attributes:
        meter: source of the energy, and ``net`` where the idle machine is taken off; ``None`` without one.
    """

    meter: str | None


class Target(Protocol):
    """A machine that can run bundles.

    Attributes:
        name: as ``open_target`` takes it.
        provenance: ``measured``, ``modelled`` or ``emulated``: how its latencies come about.
        is_modelled: its latencies are computed, not timed: the same each time, and as far off as the model.
        returns_outputs: its sessions run frames on inputs that are given, and return what comes of them.
        profile: clusters and clocks.
        energy_note: why ``power`` gives nothing, where it does not.
    """

    name: str
    provenance: str
    is_modelled: bool
    returns_outputs: bool
    profile: SocProfile

    @property
    def energy_note(self) -> str: ...

    def settings(self, threads: Sequence[int] = (1,), clusters: Sequence[str] = ()) -> tuple[Setting, ...]:
        """Return every setting that can be asked for with these thread counts.

        Threads that no cluster has CPUs for are offered on several clusters of like cores: ``mid+big``.

        Args:
            clusters: only on these; several as one may be named for fewer threads, too. None given: all.

        Raises:
            ValueError: no cluster has CPUs for any of ``threads``, or one of ``clusters`` is none.
        """

    def power(self, setting: Setting) -> PowerFigure | None:
        """Return the power under ``setting`` while busy, or ``None`` (see ``energy_note``)."""

    def session(self, bundle: Bundle, variant: Variant, setting: Setting) -> AbstractContextManager[Session]:
        """Prepare ``variant`` under ``setting``; everything changed is restored afterwards.

        Raises:
            ValueError: the target has no such setting.
            PermissionNeeded: a clock was asked for and may not be set.
            DeviceError: the variant cannot run on this machine.
        """


@runtime_checkable
class Metered(Protocol):
    """A target whose energy meter can be chosen."""

    def use_meter(self, wanted: str) -> None:
        """Take this meter from now on; names and errors as ``runtime.device.meters.find_meter``."""


@runtime_checkable
class BatteryPowered(Protocol):
    """A target that knows what its battery holds."""

    def read_battery_mwh(self) -> tuple[float, str] | None:
        """Return the energy of the full battery in mWh and where it was read, ``None`` without one."""


def use_meter(target: Target, wanted: str | None) -> Target:
    """Return ``target`` with the meter ``wanted``; ``None`` leaves it the one it finds itself.

    Raises:
        ValueError: no such meter, or the target has none to choose from.
    """
    if wanted is not None:
        if not isinstance(target, Metered):
            raise ValueError(
                f"meter is {wanted!r}; {target.name} has no meters to choose from: leave --meter out"
            )
        target.use_meter(wanted)
    return target


def choose_settings(
    target: Target,
    threads: Sequence[int] = (1,),
    clusters: Sequence[str] = (),
    freqs_khz: Sequence[int] = (),
    every: int = 1,
) -> tuple[Setting, ...]:
    """Return the target's settings with these threads, on these clusters and clocks (none given: all).

    Args:
        every: of all clocks of a cluster only every Nth, counted down from the fastest, and
            the slowest: enough for a predictor to learn the rest from.

    A clock is also asked for where the machine does not let clocks be set: the session then says
    why not, which leaving it out would hide.

    Raises:
        ValueError: no such cluster or clock.
    """
    offered = target.settings(threads, clusters)
    if not freqs_khz:
        return tuple(setting for setting in offered if setting.freq_khz in _thinned(target, setting, every))
    places = dict.fromkeys((setting.cluster, setting.threads) for setting in offered)
    clocks = {
        name: [opp.freq_khz for opp in target.profile.cluster(name).opps] or list(freqs_khz)
        for name, _ in places
    }
    for khz in freqs_khz:
        if not any(khz in clocks[cluster] for cluster, _ in places):
            known = "; ".join(
                f"{cluster}: {clocks[cluster]}" for cluster in dict.fromkeys(c for c, _ in places)
            )
            raise ValueError(f"{target.name} has no clock of {khz} kHz; choose one of {known}")
    return tuple(
        Setting(cluster, khz, count)
        for cluster, count in places
        for khz in freqs_khz
        if khz in clocks[cluster]
    )


def _thinned(target: Target, setting: Setting, every: int) -> set[int | None]:
    clocks = [opp.freq_khz for opp in target.profile.cluster(setting.cluster).opps]
    return {None, *clocks[::-every], *clocks[:1]}


def settings_of(
    profile: SocProfile, threads: Sequence[int], clusters: Sequence[str] = (), *, with_clocks: bool = True
) -> tuple[Setting, ...]:
    """Return (cluster, clock, threads) as ``Target.settings`` offers them.

    Args:
        with_clocks: ``False`` leaves the clock of every setting to the kernel.
    """
    named = [profile.cluster(name) for name in dict.fromkeys(clusters)]
    for cluster in named:
        check_threads(cluster, len(cluster.cpus))  # of like cores
    found = tuple(
        Setting(cluster.name, freq_khz, count)
        for count in dict.fromkeys(threads)
        for cluster in named or _offering(profile, count)
        if least_threads(cluster) <= count <= len(cluster.cpus)
        for freq_khz in ([opp.freq_khz for opp in cluster.opps] if with_clocks else [None])
    )
    if not found:
        allowed = ", ".join(
            f"{cluster.name} {least_threads(cluster)} to {len(cluster.cpus)}"
            for cluster in named or profile.clusters
        )
        raise ValueError(f"threads is {list(threads)}; the clusters of {profile.name} run: {allowed}")
    return found


def _offering(profile: SocProfile, threads: int) -> list[Cluster]:
    span = span_for(profile, threads)
    return [*profile.clusters, *([] if span is None else [span])]
