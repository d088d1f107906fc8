"""Actuators: change the machine as context managers that restore it."""

from runtime.device.actuators.affinity import allowed_cpus, pin
from runtime.device.actuators.capability import (
    CLOCKING,
    CONTROL_LEVELS,
    PINNING,
    Capability,
    ControlLevel,
    probe,
)
from runtime.device.actuators.cgroup import find_uclamp, hold_uclamp
from runtime.device.actuators.cpufreq import CpuFreq
from runtime.device.actuators.domains import FreqDomain, domain_over
from runtime.device.actuators.journal import Journal
from runtime.device.actuators.moving import (
    Places,
    born_of,
    family_of,
    move,
    pinned,
    read_places,
    restore_places,
)
from runtime.device.actuators.restore import Restored, restore

__all__ = [
    "CLOCKING",
    "CONTROL_LEVELS",
    "PINNING",
    "Capability",
    "ControlLevel",
    "CpuFreq",
    "FreqDomain",
    "Journal",
    "Places",
    "Restored",
    "allowed_cpus",
    "born_of",
    "domain_over",
    "family_of",
    "find_uclamp",
    "hold_uclamp",
    "move",
    "pin",
    "pinned",
    "probe",
    "read_places",
    "restore",
    "restore_places",
]
