"""What the kernel shows of cores, clocks, energy and temperature; only reads, never writes."""

from __future__ import annotations

import os
from pathlib import Path

from edgekit.doctor.check import Check
from edgekit.doctor.system import compact

_CPUFREQ = "sys/devices/system/cpu/cpufreq"


def check_cores(root: Path) -> tuple[Check, ...]:
    """Tell the kinds of cores, and each group that shares a clock with its clocks, driver and governor."""
    return (_kinds(root), *_policies(root))


def _policies(root: Path) -> tuple[Check, ...]:
    policies = sorted((root / _CPUFREQ).glob("policy*"), key=lambda p: int(p.name.removeprefix("policy")))
    if not policies:
        found = "the kernel shows no clocks (virtual machine or container?)"
        hint = "settings of this machine are cores and threads only; virtual:SOC targets have clocks"
        return (Check("cpufreq", "missing", found, hint),)
    return tuple(_policy(policy) for policy in policies)


def check_control(root: Path) -> tuple[Check, ...]:
    """Tell whether clocks can be set, and how."""
    policies = sorted((root / _CPUFREQ).glob("policy*"))
    if not policies:
        return (Check("clocks", "missing", "no cpufreq to set"),)
    checks = []
    for policy in policies:
        governors = _read(policy / "scaling_available_governors") or ""
        file = "scaling_setspeed" if "userspace" in governors.split() else "scaling_max_freq"
        if not (policy / file).exists():
            checks.append(Check(policy.name, "missing", f"no {file}"))
        elif os.access(policy / file, os.W_OK):
            checks.append(Check(policy.name, "ok", f"clock can be set through {file}"))
        else:
            checks.append(Check(policy.name, "warn", f"{file} is not writable", "run as root to set clocks"))
    return tuple(checks)


def check_meters(root: Path) -> tuple[Check, ...]:
    """Tell every source of energy, power and temperature that can be read."""
    return (
        _sources("RAPL", root / "sys/class/powercap", "*", "energy_uj"),
        _sources("hwmon power", root / "sys/class/hwmon", "hwmon*", "power*_input", "energy*_input"),
        _sources("battery", root / "sys/class/power_supply", "*", "power_now", "current_now"),
        _sources("thermal zones", root / "sys/class/thermal", "thermal_zone*", "temp"),
    )


def _kinds(root: Path) -> Check:
    """Tell the cores grouped by the capacity the kernel gives them (1024 is the fastest)."""
    cores = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*"), key=lambda p: int(p.name[3:]))
    kinds: dict[str, set[int]] = {}
    for core in cores:
        kinds.setdefault(_read(core / "cpu_capacity") or "", set()).add(int(core.name[3:]))
    if not cores:
        return Check("cores", "missing", "the kernel shows none")
    if set(kinds) == {""}:
        return Check("cores", "ok", f"{compact(kinds[''])}, of one kind as far as the kernel tells")
    groups = (f"{compact(cpus)} capacity {kind or 'unknown'}" for kind, cpus in kinds.items())
    return Check("cores", "ok", "; ".join(groups))


def _policy(policy: Path) -> Check:
    cores = _read(policy / "related_cpus") or _read(policy / "affected_cpus") or "?"
    driver = _read(policy / "scaling_driver") or "unknown driver"
    governor = _read(policy / "scaling_governor") or "unknown governor"
    steps = (_read(policy / "scaling_available_frequencies") or "").split()
    limits = [_read(policy / f"cpuinfo_{end}_freq") for end in ("min", "max")]
    if steps:
        clocks_khz = sorted(map(int, steps))
        clocks = f"{len(clocks_khz)} clocks, {clocks_khz[0] / 1000:g} to {clocks_khz[-1] / 1000:g} MHz"
    elif None not in limits:
        clocks = " to ".join(f"{int(limit) / 1000:g}" for limit in limits if limit) + " MHz, steps not listed"
    else:
        return Check(policy.name, "warn", f"cores {cores}: {driver}, shows no clocks")
    return Check(policy.name, "ok", f"cores {cores}: {clocks}, {driver}, governor {governor}")


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
