"""What is exported: named graphs of a model, with real inputs, labels and provenance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from runtime.bundle import MAIN_GRAPH, ImageSpec, TensorSpec

Frame = tuple[np.ndarray, ...]  # one array per input, batch 1 each
_GRAPH_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class SourceGraph:
    """One callable of a model, with real frames to check its exported files on.

    Attributes:
        model: in evaluation mode; takes the arrays of a frame in order, returns a tensor, or a
            tuple, list, dict or dataclass of tensors.
        inputs: name, type and static shape of each input.
        frames: at least one; the first is the example that the model is traced with.
        described: what the frames are, for people.
        output_names: ``None``: ``output``, or ``output0``, ``output1``, or a named tuple's fields.
    """

    model: nn.Module
    inputs: tuple[TensorSpec, ...]
    frames: tuple[Frame, ...]
    described: str
    output_names: tuple[str, ...] | None = None

    def example(self) -> tuple[torch.Tensor, ...]:
        """Return the first frame as tensors."""
        return as_tensors(self.frames[0])


@dataclass(frozen=True)
class Origin:
    """A model with all that a bundle tells of it.

    Attributes:
        name: of the bundle, when the user gives none.
        graphs: by name; a model's only one is called ``forward``.
        labels: class names, in the order of the outputs; empty when unknown.
        facts: provenance for the manifest, ready for JSON.
    """

    name: str
    graphs: dict[str, SourceGraph]
    labels: tuple[str, ...]
    facts: dict[str, Any]

    def __post_init__(self) -> None:
        tokens = [name.replace("_", "").lower() for name in self.graphs]  # they become parts of file names
        wrong = [name for name in self.graphs if not _GRAPH_NAME.fullmatch(name)]
        if wrong or not tokens or len(set(tokens)) != len(tokens):
            raise ValueError(
                f"graphs are called {', '.join(map(repr, self.graphs)) or 'nothing'}; each needs a name of "
                "its own: a letter, then letters, digits and _, which do not count as a difference"
            )

    @staticmethod
    def of_images(
        name: str,
        model: nn.Module,
        image: ImageSpec,
        labels: tuple[str, ...],
        inputs: np.ndarray,
        described: str,
        facts: dict[str, Any],
    ) -> Origin:
        """Return the origin of a model with one input, photographs, and one output, class scores.

        Args:
            name, labels, facts: see ``Origin``.
            model: takes shape (1, C, H, W).
            image: how a photograph becomes the input.
            inputs: real ones, float32, shape (N, C, H, W).
            described: what these are.
        """
        frames = tuple((inputs[i : i + 1],) for i in range(len(inputs)))
        spec = TensorSpec("image", str(inputs.dtype), (1, *inputs.shape[1:]), image)
        graph = SourceGraph(model, (spec,), frames, described, ("scores",))
        return Origin(name, {MAIN_GRAPH: graph}, labels, facts)


def as_tensors(frame: Sequence[np.ndarray]) -> tuple[torch.Tensor, ...]:
    """Return copies of the arrays, contiguous.

    A slice with one channel can have the strides of channels-last; exporters would believe them.
    """
    return tuple(torch.from_numpy(array).clone(memory_format=torch.contiguous_format) for array in frame)
