"""The one interface behind which every engine runs a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from runtime.registry import Registry

if TYPE_CHECKING:
    import numpy as np

Spec = tuple[str, str, tuple[int, ...]]  # name, dtype, shape


class Engine(Protocol):
    """A loaded model. Lives in a worker process of its own; see ``runtime.engines.worker``.

    Attributes:
        inputs, outputs: name, dtype and shape of each.
        version: of the engine's package.
        load_ns: what it took to read the file and make it ready to run, imports of packages not counted.
        held_bytes: memory of the process before it read the file; ``None`` where that is unknown.
    """

    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    version: str
    load_ns: int
    held_bytes: int | None

    def set_inputs(self, inputs: Sequence[np.ndarray]) -> None:
        """Hand over one frame's inputs; not timed."""

    def invoke(self) -> None:
        """Run one frame; this alone is timed."""

    def get_outputs(self) -> list[np.ndarray]:
        """Return the last frame's outputs; not timed."""

    def pool_size(self, extra_threads: int) -> int:
        """Return how many threads compute.

        Args:
            extra_threads: threads of this process that were not there before the model was loaded.
        """


@dataclass(frozen=True)
class OpEvent:
    """One op of one frame, as the engine's profiler saw it.

    Attributes:
        name: the engine's own, such as ``Convolution (NHWC, F32) IGEMM``.
        delegate: which delegate call of the frame ran it, from 0; ``None``: outside.
        start_ns: from the frame's start. XNNPACK gives only durations: its ops stand one after the other.
        source: who measured it.
        op_index: its place among the ops of its graph in the file, where the engine says so.
        subgraph: of a file of several graphs: 0 is the main one, others are bodies of control flow. What a
            loop runs several times in a frame is one event.
    """

    name: str
    delegate: int | None
    start_ns: int
    duration_ns: int
    source: str
    op_index: int | None = None
    subgraph: int = 0


class ProfiledEngine(Engine, Protocol):
    """An engine that was loaded with its profiler on.

    Attributes:
        partitions: indices of the file's ops that each delegate call runs; empty where that is unknown.
    """

    partitions: tuple[tuple[int, ...], ...]

    def begin_frame(self) -> None:
        """Record the next ``invoke``."""

    def end_frame(self) -> None:
        """Stop recording."""

    def take_frames(self) -> list[tuple[int, list[OpEvent]]]:
        """Return for each recorded frame its ns inside the engine and its ops in order; forget them."""


class EngineFactory(Protocol):
    """Loads the file at ``path``; ``graph`` names its entry point; ``threads`` sizes its pool."""

    def __call__(self, path: str, graph: str, threads: int) -> Engine: ...


class ProfiledFactory(Protocol):
    """As ``EngineFactory``, with the profiler on."""

    def __call__(self, path: str, graph: str, threads: int) -> ProfiledEngine: ...


ENGINES: Registry[EngineFactory] = Registry("engine")
PROFILED_ENGINES: Registry[ProfiledFactory] = Registry("profiled engine")
