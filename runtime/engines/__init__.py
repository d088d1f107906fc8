"""Engines: LiteRT and ExecuTorch behind one interface, each model in a process of its own."""

from runtime.engines.process import EngineProcess, Frame, Samples, random_inputs

__all__ = ["EngineProcess", "Frame", "Samples", "random_inputs"]
