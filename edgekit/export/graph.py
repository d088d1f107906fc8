"""What is exported: named graphs of a model, with labels and provenance."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from edgekit.tasks import Classification, Examples, SourceGraph, Task
from runtime.bundle import ImageSpec

_GRAPH_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Origin:
    """A model with all that a bundle tells of it.

    Attributes:
        name: of the bundle, when the user gives none.
        graphs: by name; a model's only one is called ``forward``.
        labels: class names, in the order of the outputs; empty when unknown.
        facts: provenance for the manifest, ready for JSON.
        task: what scores its results.
    """

    name: str
    graphs: dict[str, SourceGraph]
    labels: tuple[str, ...]
    facts: dict[str, Any]
    task: Task = field(default_factory=Classification)

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
        graphs = Classification().graphs(model, Examples(inputs, described, image))
        return Origin(name, graphs, labels, facts)
