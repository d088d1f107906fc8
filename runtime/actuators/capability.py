"""How far clock and cores of a machine can be controlled, and why not further."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from runtime.actuators.cpufreq import POLICY_DIR, CpuFreq

RUNGS = ("sysfs", "affinity", "threads", "none")


@dataclass(frozen=True)
class Capability:
    """The highest rung that can be reached: clocks by ``sysfs``, cores by ``affinity``, or only ``threads``.

    Attributes:
        rung: one of ``RUNGS``.
        reasons: why the rungs above it cannot be reached; empty on the highest.
    """

    rung: str
    reasons: tuple[str, ...] = ()


def probe(root: Path = Path("/")) -> Capability:
    """Return what this process may do below ``root``; changes nothing."""
    policies = CpuFreq(root).policies()
    locked = [
        p.path / "scaling_max_freq" for p in policies if not os.access(p.path / "scaling_max_freq", os.W_OK)
    ]
    if policies and not locked:
        return Capability("sysfs")
    if policies:
        reason = f"{locked[0]} is not writable: run as root to set clocks"
    else:
        reason = f"no clock domains below {root / POLICY_DIR}: clocks are the kernel's choice"
    if hasattr(os, "sched_setaffinity"):
        return Capability("affinity", (reason,))
    return Capability("threads", (reason, "this system cannot pin threads to CPUs"))
