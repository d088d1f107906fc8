"""What an engine, or a model of one, makes of frames: their outputs, times and ops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.device.meters.memory import MemoryUse
from runtime.device.meters.reading import EnergyReading
from runtime.engines.array import Array
from runtime.engines.engine import OpEvent

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Frame:
    """One frame: its latency, and the outputs if they were asked for, as they travel."""

    latency_ms: float
    arrays: tuple[Array, ...] | None

    @property
    def outputs(self) -> list[np.ndarray] | None:
        """The outputs unpacked; needs numpy."""
        return None if self.arrays is None else [array.numpy() for array in self.arrays]


@dataclass(frozen=True)
class ModelBounds:
    """What a computed latency may truly be: ``low_ms`` to ``high_ms``, and what says so."""

    low_ms: float
    high_ms: float
    basis: str


@dataclass(frozen=True)
class Samples:
    """Timed frames. ``first_ms`` is the cold one, apart; ``threads`` what the pool was seen to have.

    ``energy`` is that of the timed frames, where the machine has a meter. ``misplaced`` says which
    threads of the worker were not kept to the CPUs that were asked. ``load_ms`` is what reading the file
    took, without starting the process and importing the engine; ``None`` where nothing says it.
    ``bounds`` belong to one sample that was computed, not timed. ``memory`` is that of the process so far.
    """

    first_ms: float | None
    samples_ms: tuple[float, ...]
    threads: int | None
    energy: EnergyReading | None = None
    misplaced: tuple[str, ...] = ()
    load_ms: float | None = None
    bounds: ModelBounds | None = None
    memory: MemoryUse | None = None


@dataclass(frozen=True)
class ProfiledFrames:
    """Frames seen by the engine's profiler: what each took, and its ops in the order they ran.

    ``partitions`` holds the indices of the file's ops that each delegate call runs, where the engine says so.
    """

    samples_ms: tuple[float, ...]
    frames: tuple[tuple[OpEvent, ...], ...]
    partitions: tuple[tuple[int, ...], ...]
