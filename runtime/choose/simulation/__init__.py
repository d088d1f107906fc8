"""Frames replayed on a SoC profile under the kernel's governors, the papers', and the exhaustive best."""

from runtime.choose.simulation.ebs import EventBased
from runtime.choose.simulation.engine import Lanes, Replay, SimGovernor, replay
from runtime.choose.simulation.frames import (
    Frames,
    buffered,
    bursts,
    periodic,
    read_trace,
    standard,
    standard_levels,
)
from runtime.choose.simulation.governed import Governed
from runtime.choose.simulation.oracle import Oracle
from runtime.choose.simulation.platform import Platform, platform_of
from runtime.choose.simulation.sampling import Conservative, Interactive, Ondemand, Performance, Powersave
from runtime.choose.simulation.timed import TimedPlatform, replay_frames, timed_platform
from runtime.choose.simulation.utilisation import EnergyAware, Schedutil
from runtime.choose.simulation.ztt import Ztt

__all__ = [
    "Conservative",
    "EnergyAware",
    "EventBased",
    "Frames",
    "Governed",
    "Interactive",
    "Lanes",
    "Ondemand",
    "Oracle",
    "Performance",
    "Platform",
    "Powersave",
    "Replay",
    "Schedutil",
    "SimGovernor",
    "TimedPlatform",
    "Ztt",
    "buffered",
    "bursts",
    "periodic",
    "platform_of",
    "read_trace",
    "replay",
    "replay_frames",
    "standard",
    "standard_levels",
    "timed_platform",
]
