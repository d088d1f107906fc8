"""A vector that says who or what this is, and which references are most like it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.bundle.result import Embedding
from runtime.errors import DataError
from runtime.extras import require
from runtime.processing.results.decoded import Frame, Row

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


@dataclass(frozen=True)
class EmbeddingResult:
    """A vector of length 1 and the references nearest to it: name and cosine, nearest first."""

    vector: np.ndarray
    matches: tuple[tuple[str, float], ...]

    def table(self) -> tuple[tuple[str, ...], list[Row]]:
        return ("reference", "cosine"), [(name, f"{cosine:.3f}") for name, cosine in self.matches]

    def plain(self) -> dict[str, Any]:
        matches = [{"reference": name, "cosine": cosine} for name, cosine in self.matches]
        return {"result": "embedding", "vector": self.vector.tolist(), "matches": matches}

    def draw(self, picture: Image.Image | None) -> Image.Image:
        raise DataError("an embedding cannot be drawn; save it as .json")

    def forms(self) -> Mapping[str, Callable[[], bytes]]:
        return {}


def decode_embedding(result: Embedding, frame: Frame) -> EmbeddingResult:
    """Return the vector scaled to length 1, and the ``most`` references with the highest cosine."""
    vector = unit(frame.outputs[result.vector][0])
    cosines = [(name, float(vector @ unit(other))) for name, other in frame.references.items()]
    return EmbeddingResult(vector, tuple(sorted(cosines, key=lambda one: -one[1])[: result.most]))


def unit(vector: np.ndarray) -> np.ndarray:
    """Return ``vector`` scaled to length 1, float64; one of zeros stays so."""
    np = require("numpy", extra="images")
    exact = vector.astype(np.float64).reshape(-1)
    length = float(np.sqrt((exact * exact).sum()))
    return exact / (length or 1.0)
