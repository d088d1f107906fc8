"""Engines: LiteRT and ExecuTorch behind one interface, each model in a process of its own."""

from runtime.engines.engine import OpEvent
from runtime.engines.process import EngineProcess, Frame, ProfiledFrames, Samples, random_inputs

__all__ = ["EngineProcess", "Frame", "OpEvent", "ProfiledFrames", "Samples", "random_inputs"]
