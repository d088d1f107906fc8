"""What a ``.tflite`` file says of itself: inputs, outputs, signatures, what a frame costs."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.bundle import TensorSpec
from runtime.bundle.workload import Workload


@dataclass(frozen=True)
class Signature:
    """A way to call the file: its name, the subgraph it runs, and its inputs' names with their tensors'."""

    key: str
    subgraph: int
    inputs: dict[str, str]


@dataclass(frozen=True)
class TfliteGraph:
    """The main graph of a ``.tflite`` file.

    Attributes:
        inputs, outputs: in the file's order; shapes as stored, usually NHWC.
        workload: cost of one frame, op by op. Ops that read only constants are left out:
            they run once, when the file is loaded.
        op_indices: place of each op of the workload among all ops of the file.
        op_counts: op names of the schema and how many there are, the most frequent first.
        parameters: elements of all constant tensors.
        has_fp16_weights: most of them are stored as float16.
        open_axes: of inputs and outputs by name, the axes whose size the file leaves open; 1 stands there.
        signatures: the file's own, in its order.
        graphs: names of all graphs of the file: the main one, bodies of control flow, other signatures.
        bodies: names of those that IF, WHILE and CALL of the main one run, directly.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    workload: Workload
    op_counts: dict[str, int]
    parameters: int
    size_bytes: int
    op_indices: tuple[int, ...] = ()
    has_fp16_weights: bool = False
    open_axes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    signatures: tuple[Signature, ...] = ()
    graphs: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()

    def input_labels(self) -> dict[str, str]:
        """Return what people call each input, by its tensor's name: as a signature does, else the same."""
        known = {t: name for one in self.signatures if one.subgraph == 0 for name, t in one.inputs.items()}
        return {spec.name: known.get(spec.name, spec.name) for spec in self.inputs}

    def labels(self) -> set[str]:
        """Return every name by which an input may be called."""
        labels = self.input_labels()
        return {*labels, *labels.values()}
