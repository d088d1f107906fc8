"""What the kernel shows of cores, clocks, energy and temperature, and lets us change; only reads."""

from __future__ import annotations

import os
from pathlib import Path

from edgekit.doctor.check import Check
from runtime.device.actuators import CpuFreq, FreqDomain, Journal, allowed_cpus, probe
from runtime.device.meters import list_meters
from runtime.device.soc.tree import range_list
from runtime.errors import DataError


def check_cores(root: Path) -> tuple[Check, ...]:
    """Tell the kinds of cores, and each group that shares a clock with its clocks, driver and governor."""
    policies = CpuFreq(root).domains()
    if policies:
        return (_kinds(root), *map(_clocks, policies))
    found = "the kernel shows no clocks (virtual machine or container?)"
    hint = "settings of this machine are cores and threads only; virtual:SOC targets have clocks"
    return (_kinds(root), Check("cpufreq", "missing", found, hint))


def check_control(root: Path, journal: Journal | None = None) -> tuple[Check, ...]:
    """Tell how far clocks and cores can be controlled, and what a killed run left behind.

    Args:
        journal: where changes in progress are kept; default: this user's.
    """
    can = probe(root)
    state = "ok" if can.level == "sysfs" else "missing"
    means = {
        "sysfs": "clocks can be set, processes pinned to cores",
        "uclamp": "clocks cannot be set, but the scheduler be asked for a capacity; processes can be pinned",
        "affinity": "clocks cannot be set; processes can be pinned to cores",
    }
    checks = [Check("settings", state, means.get(can.level, "threads only"), next(iter(can.reasons), None))]
    for level in can.levels:
        checks.append(Check(f"control level {level.name}", "ok" if level.is_there else "missing", level.text))
    cpus = allowed_cpus()
    if cpus is not None:
        checks.append(Check("cores allowed", "ok", range_list(list(cpus))))
    try:
        left = [e.state.thing for _, e in (journal or Journal()).entries() if not e.is_owner_alive]
    except DataError as err:
        return (*checks, Check("left changed", "warn", str(err)))
    if left:
        checks.append(Check("left changed", "warn", ", ".join(left), "restore it: edgekit restore"))
    return tuple(checks)


def check_meters(root: Path) -> tuple[Check, ...]:
    """Tell every kind of meter, which one is taken and why the others cannot be read; and thermal zones."""
    states = list_meters(root)
    taken = next((state.name for state in states if state.is_ready), None)
    meters = (
        Check(s.name, "ok", f"{s.text}{' (taken)' if s.name == taken else ''}")
        if s.is_ready
        else Check(s.name, "warn" if s.needs_permission else "missing", s.text)
        for s in states
    )
    return (*meters, _sources("thermal zones", root / "sys/class/thermal", "thermal_zone*", "temp"))


def _kinds(root: Path) -> Check:
    """Tell the cores grouped by the capacity the kernel gives them (1024 is the fastest)."""
    kinds: dict[str, list[int]] = {}
    for core in sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*"), key=lambda p: int(p.name[3:])):
        kinds.setdefault(_read(core / "cpu_capacity") or "", []).append(int(core.name[3:]))
    if not kinds:
        return Check("cores", "missing", "the kernel shows none")
    if set(kinds) == {""}:
        return Check("cores", "ok", f"{range_list(kinds[''])}, of one kind as far as the kernel tells")
    groups = (f"{range_list(cpus)} capacity {kind or 'unknown'}" for kind, cpus in kinds.items())
    return Check("cores", "ok", "; ".join(groups))


def _clocks(policy: FreqDomain) -> Check:
    driver = _read(policy.path / "scaling_driver") or "unknown driver"
    governor = _read(policy.path / "scaling_governor") or "unknown governor"
    cores = f"cores {range_list(list(policy.cpus))}"
    if not policy.available_khz:
        return Check(policy.path.name, "warn", f"{cores}: {driver}, shows no clocks")
    low, high = (f"{khz / 1000:g}" for khz in (policy.available_khz[0], policy.available_khz[-1]))
    steps = f"{len(policy.available_khz)} clocks, " if len(policy.available_khz) > 2 else ""
    clocks = f"{steps}{low} to {high} MHz, {driver}, governor {governor}"
    return Check(policy.path.name, "ok", f"{cores}: {clocks}")


def _sources(name: str, folder: Path, devices: str, *readings: str) -> Check:
    """Tell the devices below ``folder`` that have one of ``readings``, and whether we may read them."""
    labels, refused = [], 0
    for device in sorted(folder.glob(devices)):
        files = [file for reading in readings for file in device.glob(reading)]
        if not files:
            continue
        if os.access(files[0], os.R_OK):
            labels.append(_read(device / "name") or _read(device / "type") or device.name)
        else:
            refused += 1
    if labels:
        return Check(name, "ok", ", ".join(labels))
    if refused:
        return Check(name, "warn", f"{refused} found, none readable by this user", "run as root to read it")
    return Check(name, "missing", "none")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None
