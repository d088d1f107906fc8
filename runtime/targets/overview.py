"""Targets and their clocks as rows to print."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.device.meters import list_meters
from runtime.device.soc import Cluster, SocProfile, load_profile, power_mw
from runtime.device.soc.generic import PREFIX
from runtime.errors import DeviceStableError, EdgekitError
from runtime.targets.name import LOCAL, PLAYED, TargetName, list_targets
from runtime.targets.opening import open_target


@dataclass(frozen=True)
class TargetRow:
    """One target: what it is, its clusters, and where its power figures come from."""

    name: str
    title: str
    clusters: str
    provenance: str
    power: str


@dataclass(frozen=True)
class OppRow:
    """One clock of one cluster. ``power_mw`` is that of one busy core; ``how`` says how it is known."""

    cluster: str
    freq_khz: int
    voltage_mv: float | None
    power_mw: float | None
    capacity: float
    how: str


def list_rows() -> list[TargetRow]:
    """Return a row for every target that can be opened by name."""
    return [_row(name) for name in list_targets()]


def find_profile(name: str) -> SocProfile:
    """Return a target's or SoC's profile: ``local``, ``adb:SERIAL``, ``sdm845``, a TOML or YAML file, ...

    Raises:
        ValueError: no such target; near matches are named.
        DataError: the file cannot be read as a SoC profile.
        DeviceError: the device cannot be reached.
    """
    if name.startswith(PREFIX) or (name != LOCAL and ":" not in name):
        return load_profile(name)
    parsed = TargetName.parse(name)
    return load_profile(parsed.rest) if parsed.kind in PLAYED else open_target(name).profile


def meter_lines(name: str) -> tuple[str, ...]:
    """Return each kind of meter of target ``name`` and why it can be read or not; empty without any."""
    if name != LOCAL:
        return ()
    return tuple(f"{m.name}: {'' if m.is_ready else 'no: '}{m.text}" for m in list_meters())


def opp_rows(profile: SocProfile) -> list[OppRow]:
    """Return a row for every clock of ``profile``, slowest cluster first."""
    return [
        OppRow(
            cluster=cluster.name,
            freq_khz=opp.freq_khz,
            voltage_mv=None if opp.voltage_uv is None else opp.voltage_uv / 1000,
            power_mw=figure_mw,
            capacity=round(profile.capacity(cluster, opp.freq_khz), 1),
            how=how,
        )
        for cluster in profile.clusters
        for opp in cluster.opps
        for figure_mw, how in [_power(cluster, opp.freq_khz)]
    ]


def _power(cluster: Cluster, freq_khz: int) -> tuple[float | None, str]:
    try:
        figure = power_mw(cluster, freq_khz)
    except DeviceStableError:
        return None, "unknown"
    if figure.source == cluster.power_source:
        return figure.power_mw, figure.source.partition(":")[0]
    return figure.power_mw, figure.source.removesuffix(f" of {cluster.power_source}").rstrip(",")


def _row(name: str) -> TargetRow:
    """Return the row of one target; one that cannot be opened keeps no other from being listed."""
    try:
        return _open_row(name)
    except EdgekitError as err:
        return TargetRow(name, f"cannot be opened: {err}", "none", "none", "none")


def _open_row(name: str) -> TargetRow:
    parsed = TargetName.parse(name)
    if parsed.kind == "emulated":  # opening one starts a machine
        profile, provenance = load_profile(parsed.rest), "emulated"
    else:
        target = open_target(name)
        profile, provenance = target.profile, target.provenance
    clusters = ", ".join(_describe(cluster) for cluster in profile.clusters)
    kinds = dict.fromkeys(_power_kind(cluster) for cluster in profile.clusters)
    return TargetRow(name, profile.title, clusters, provenance, " / ".join(kinds))


def _describe(cluster: Cluster) -> str:
    clock = "" if cluster.max_khz is None else f" {cluster.max_khz / 1e6:.2f} GHz"
    threads = f" ({len(cluster.cpus)} CPUs)" if cluster.cores < len(cluster.cpus) else ""
    return f"{cluster.name} {cluster.cores}x {cluster.core}{clock}{threads}"


def _power_kind(cluster: Cluster) -> str:
    if cluster.power_source is not None:
        return cluster.power_source.partition(":")[0]
    if cluster.power_coefficient is not None and any(opp.voltage_uv for opp in cluster.opps):
        return "device-tree coefficient"
    return "none"
