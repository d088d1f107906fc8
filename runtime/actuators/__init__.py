"""Actuators: change the machine as context managers that put it back."""

from runtime.actuators.affinity import allowed_cpus, move, pin
from runtime.actuators.capability import CLOCKING, PINNING, RUNGS, Capability, Rung, probe
from runtime.actuators.cgroup import find_cpuset, find_uclamp, hold_cpuset, hold_uclamp
from runtime.actuators.cpufreq import CpuFreq, Policy
from runtime.actuators.journal import Journal
from runtime.actuators.restore import Restored, restore

__all__ = [
    "CLOCKING",
    "PINNING",
    "RUNGS",
    "Capability",
    "CpuFreq",
    "Journal",
    "Policy",
    "Restored",
    "Rung",
    "allowed_cpus",
    "find_cpuset",
    "find_uclamp",
    "hold_cpuset",
    "hold_uclamp",
    "move",
    "pin",
    "probe",
    "restore",
]
