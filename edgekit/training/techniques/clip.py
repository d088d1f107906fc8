"""Gradient clipping: a step's gradient is shortened to a largest length.

Paper: Pascanu et al., "On the difficulty of training recurrent neural networks",
https://arxiv.org/abs/1211.5063, algorithm 1: g <- g * norm / |g| where |g| > norm.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.training.hooks import Hook, Training
from edgekit.training.technique import Technique, register_technique


@register_technique("clip")
class Clip(Technique):
    """Clips the L2 norm of all gradients together.

    Args:
        norm: the largest.

    Raises:
        ValueError: ``norm`` is not above 0.
    """

    def __init__(self, norm: float = 1.0):
        if not norm > 0:
            raise ValueError(f"clip: norm is {norm}; it must be above 0")
        self.norm = norm

    def hooks(self) -> Sequence[Hook]:
        return (_ClipGradients(self.norm),)


class _ClipGradients(Hook):
    def __init__(self, norm: float):
        self.norm = norm

    def on_backward_end(self, run: Training) -> None:
        run.clip(self.norm)
