"""Frames replayed on a SoC profile under the kernel's governors and EBS."""

from runtime.choose.simulation.ebs import EventBased
from runtime.choose.simulation.engine import Governor, Lanes, Replay, replay
from runtime.choose.simulation.frames import Frames, periodic
from runtime.choose.simulation.platform import Platform
from runtime.choose.simulation.sampling import Conservative, Interactive, Ondemand, Performance, Powersave
from runtime.choose.simulation.served import ServedPlatform, serve_frames, served_platform
from runtime.choose.simulation.utilisation import EnergyAware, Schedutil

__all__ = [
    "Conservative",
    "EnergyAware",
    "EventBased",
    "Frames",
    "Governor",
    "Interactive",
    "Lanes",
    "Ondemand",
    "Performance",
    "Platform",
    "Powersave",
    "Replay",
    "Schedutil",
    "ServedPlatform",
    "periodic",
    "replay",
    "serve_frames",
    "served_platform",
]
