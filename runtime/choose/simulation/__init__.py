"""Frames replayed on a SoC profile under the kernel's governors and EBS."""

from runtime.choose.simulation.ebs import EventBased
from runtime.choose.simulation.engine import Lanes, Replay, SimGovernor, replay
from runtime.choose.simulation.frames import Frames, periodic
from runtime.choose.simulation.platform import Platform
from runtime.choose.simulation.sampling import Conservative, Interactive, Ondemand, Performance, Powersave
from runtime.choose.simulation.steady import Steady
from runtime.choose.simulation.timed import TimedPlatform, replay_frames, timed_platform
from runtime.choose.simulation.utilisation import EnergyAware, Schedutil

__all__ = [
    "Conservative",
    "EnergyAware",
    "EventBased",
    "Frames",
    "Interactive",
    "Lanes",
    "Ondemand",
    "Performance",
    "Platform",
    "Powersave",
    "Replay",
    "Schedutil",
    "SimGovernor",
    "Steady",
    "TimedPlatform",
    "periodic",
    "replay",
    "replay_frames",
    "timed_platform",
]
