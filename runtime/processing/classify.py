"""Class scores to labels: the step after the network, which is never part of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.errors import DataError
from runtime.extras import require

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Guess:
    """One class and its probability."""

    label: str
    probability: float


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities of the last axis, computed in float64; same shape as ``scores``."""
    np = require("numpy", extra="images")
    scores = np.asarray(scores, dtype=np.float64)
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def is_distribution(scores: np.ndarray) -> bool:
    """Return whether ``scores`` are probabilities already: third-party files often end in a softmax."""
    return bool(scores.min() >= 0 and abs(float(scores.sum(dtype="float64")) - 1.0) < 1e-3)


def top_k(scores: np.ndarray, labels: Sequence[str] | None, k: int = 5) -> tuple[Guess, ...]:
    """Return the ``k`` likeliest classes, likeliest first.

    Args:
        scores: logits or probabilities of one input, shape (classes,) or (1, classes).
        labels: class names in output order; ``None`` names classes by number.
        k: as many as there are classes if it exceeds them.

    Raises:
        ValueError: ``scores`` are not those of one input.
        DataError: there are not as many labels as classes.
    """
    if scores.ndim == 0 or scores.size != scores.shape[-1]:
        raise ValueError(f"scores have shape {scores.shape}; (1, classes) is needed to name the likeliest")
    scores = scores.reshape(-1)
    if labels is not None and len(labels) != scores.size:
        raise DataError(f"{scores.size} class scores but {len(labels)} labels; export with labels that fit")
    probabilities = scores if is_distribution(scores) else softmax(scores)
    best = (-probabilities).argsort(kind="stable")[:k]
    names = labels or [f"class {number}" for number in range(scores.size)]
    return tuple(Guess(names[index], float(probabilities[index])) for index in best)
