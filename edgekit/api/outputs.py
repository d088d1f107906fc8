"""One frame of a bundle, run once: outputs as arrays, classes by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.bundle import Bundle, Quantization
from runtime.device.setting import Setting
from runtime.processing.classify import Guess, top_k
from runtime.processing.given import as_frame
from runtime.processing.int8_io import to_float, to_int8
from runtime.targets import open_target

if TYPE_CHECKING:
    import numpy as np

    from runtime.targets import Target


@dataclass(frozen=True)
class Outputs:
    """What came of one frame.

    Attributes:
        arrays: by the outputs' names, float where the file gives int8.
        labels: names of the classes, ``None`` where the bundle has none.
        latency_ms: of the frame; the first one of a model just loaded, so slower than those that follow.
        provenance: of the latency: ``measured``, ``modelled`` or ``emulated``.
        variant, setting: what ran.
    """

    arrays: Mapping[str, np.ndarray]
    labels: tuple[str, ...] | None
    latency_ms: float
    provenance: str
    variant: str
    setting: Setting

    def __getitem__(self, key: str | int) -> np.ndarray:
        """Return an output by its name or its place."""
        return list(self.arrays.values())[key] if isinstance(key, int) else self.arrays[key]

    def top(self, k: int = 5, output: str | int = 0) -> tuple[Guess, ...]:
        """Return the ``k`` likeliest classes, likeliest first.

        Args:
            output: whose scores, of a model with several.

        Raises:
            ValueError: the output is no list of class scores.
            DataError: there are not as many labels as classes.

        Example:
            >>> from edgekit.api.bundle import load
            >>> [guess.label for guess in load("seg.edgekit").run("cat.png").top(2)]
            ['cat', 'dog']
        """
        return top_k(self[output], self.labels, k)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {array.dtype}{array.shape}" for name, array in self.arrays.items())
        return f"Outputs({shapes}; {self.variant}, {self.latency_ms:.3g} ms {self.provenance})"


def run_once(
    bundle: Bundle,
    inputs: Any,
    *,
    target: str | Target = "local",
    variant: str | None = None,
    threads: int = 1,
) -> Outputs:
    """Run one frame of ``bundle``; see ``Usable.run``."""
    chosen = bundle.manifest.variant(variant)
    graph = bundle.manifest.graphs[chosen.graph]
    io = chosen.quantization or Quantization()
    tensors = to_int8(as_frame(inputs, graph.inputs), io.inputs)
    machine = open_target(target) if isinstance(target, str) else target
    biggest = max(machine.profile.clusters, key=machine.profile.capacity)
    setting = Setting(biggest.name, None, threads)
    with machine.session(bundle, chosen, setting) as session:
        frame = session.run(tensors)
    arrays = to_float([array.numpy() for array in frame.arrays or ()], io.outputs)
    labels = bundle.labels()
    return Outputs(
        arrays={spec.name: array for spec, array in zip(graph.outputs, arrays, strict=True)},
        labels=None if labels is None else tuple(labels),
        latency_ms=frame.latency_ms,
        provenance=machine.provenance,
        variant=chosen.name,
        setting=setting,
    )
