"""How far clock and cores of a machine can be controlled, and why not further."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runtime.device.actuators.cgroup import find_uclamp
from runtime.device.actuators.cpufreq import READ_ONLY, CpuFreq
from runtime.device.actuators.domains import POLICY_DIR
from runtime.errors import DeviceError, PermissionNeeded

CONTROL_LEVELS = ("sysfs", "uclamp", "affinity", "threads", "none")
PINNING = ("sysfs", "uclamp", "affinity")  # the levels on which cores can be chosen, too
CLOCKING = ("sysfs", "uclamp")  # the levels on which a clock can be asked for


@dataclass(frozen=True)
class ControlLevel:
    """One of the levels: whether this machine has it, and what it found or why not."""

    name: str
    is_there: bool
    text: str


@dataclass(frozen=True)
class Capability:
    """The highest level of control that can be reached.

    ``sysfs``: clocks are held by cpufreq. ``uclamp``: the scheduler is asked for a capacity and picks the
    clock. ``affinity``: only cores are chosen. ``threads``: only how many threads.

    Attributes:
        level: one of ``CONTROL_LEVELS``.
        reasons: why the levels above it cannot be reached; empty on the highest.
        levels: all of them, highest first.
    """

    level: str
    reasons: tuple[str, ...] = ()
    levels: tuple[ControlLevel, ...] = field(default=(), repr=False)


def probe(root: Path = Path("/")) -> Capability:
    """Return what this process may do below ``root``; changes nothing."""
    looks: dict[str, Callable[[Path], tuple[bool, str]]] = {
        "sysfs": _sysfs,
        "uclamp": _uclamp,
        "affinity": _affinity,
        "threads": lambda _: (True, "engines take a number of threads"),
    }
    levels = tuple(ControlLevel(name, *look(root)) for name, look in looks.items())
    best = next(level for level in levels if level.is_there)
    return Capability(best.name, tuple(level.text for level in levels[: levels.index(best)]), levels)


def _sysfs(root: Path) -> tuple[bool, str]:
    policies = CpuFreq(root).domains()
    if not policies:
        return False, f"no clock domains below {root / POLICY_DIR}: clocks are the kernel's choice"
    for policy in policies:
        limit = policy.path / "scaling_max_freq"
        if not os.access(limit, os.W_OK):
            is_read_only = os.statvfs(limit).f_flag & os.ST_RDONLY if limit.exists() else False
            advice = READ_ONLY if is_read_only else "run as root to set clocks"
            return False, f"{limit} is not writable: {advice}"
        if not policy.available_khz:
            return False, f"{policy.path} shows no clocks to choose from"
    return True, f"clocks of {len(policies)} domains can be set"


def _uclamp(root: Path) -> tuple[bool, str]:
    try:
        group = find_uclamp(root)
    except (DeviceError, PermissionNeeded) as err:
        return False, str(err)
    if not CpuFreq(root).domains():
        return False, f"{group} has uclamp, but no clock domains show what it would do"
    return True, f"{group} bounds utilisation"


def _affinity(root: Path) -> tuple[bool, str]:
    if not hasattr(os, "sched_setaffinity"):
        return False, "this system cannot pin threads to CPUs"
    return True, "threads can be pinned to CPUs"
