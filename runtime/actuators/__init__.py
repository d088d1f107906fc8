"""Actuators: change the machine as context managers that put it back."""

from runtime.actuators.affinity import allowed_cpus, pin
from runtime.actuators.capability import RUNGS, Capability, probe
from runtime.actuators.cpufreq import CpuFreq, Policy
from runtime.actuators.journal import Journal
from runtime.actuators.restore import Restored, restore

__all__ = [
    "RUNGS",
    "Capability",
    "CpuFreq",
    "Journal",
    "Policy",
    "Restored",
    "allowed_cpus",
    "pin",
    "probe",
    "restore",
]
