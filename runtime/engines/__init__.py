"""Engines: LiteRT and ExecuTorch behind one interface, each model in a process of its own."""

from runtime.engines.array import Array, Tensor, random_inputs
from runtime.engines.engine import OpEvent
from runtime.engines.process import EngineProcess
from runtime.engines.samples import Frame, ModelBounds, ProfiledFrames, Samples

__all__ = [
    "Array",
    "EngineProcess",
    "Frame",
    "ModelBounds",
    "OpEvent",
    "ProfiledFrames",
    "Samples",
    "Tensor",
    "random_inputs",
]
