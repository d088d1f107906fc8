"""The one interface behind which every engine runs a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from runtime.registry import Registry

Spec = tuple[str, str, tuple[int, ...]]  # name, dtype, shape


class Engine(Protocol):
    """A loaded model. Lives in a worker process of its own; see ``runtime.engines.worker``.

    Attributes:
        inputs, outputs: name, dtype and shape of each.
        version: of the engine's package.
    """

    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    version: str

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


class EngineFactory(Protocol):
    """Loads the file at ``path``; ``graph`` names its entry point; ``threads`` sizes its pool."""

    def __call__(self, path: str, graph: str, threads: int) -> Engine: ...


ENGINES: Registry[EngineFactory] = Registry("engine")
