"""What each layer costs at the widths that were timed, and what a network of other widths will take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from edgekit.models.cost import work_by_module


@dataclass
class LayerCosts:
    """A table of costs: ms of each layer by its work, at the widths of the networks that were timed.

    Work is what a layer computes: multiply-accumulates, or elements where it has none. Between two
    widths the cost of a layer is on the line between them: that holds rounding to an engine's tiles, what
    a depthwise convolution costs beyond its MACs, and what does not shrink at all.

    Attributes:
        points: by layer, pairs of work and ms.
        rest_ms: of each network, what belongs to no layer that is known.
    """

    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    rest_ms: list[float] = field(default_factory=list)

    def add(self, work: Mapping[str, int], layers_ms: Mapping[str, float]) -> None:
        """Learn from a network that was timed.

        Args:
            work: of its layers: see ``work_of``.
            layers_ms: what each of them took; other names count as the rest.
        """
        for name, ms in layers_ms.items():
            if name in work:
                self.points.setdefault(name, []).append((float(work[name]), ms))
        self.rest_ms.append(sum(ms for name, ms in layers_ms.items() if name not in work))

    def predict_ms(self, work: Mapping[str, int]) -> float:
        """Return the latency of a network whose layers have this work."""
        found = sum(_between(points, work.get(name, 0)) for name, points in self.points.items())
        return found + float(np.mean(self.rest_ms))


def work_of(model: nn.Module, example: torch.Tensor) -> dict[str, int]:
    """Return the work of each layer for ``example``, shape (1, C, H, W)."""
    return work_by_module(model, tuple(example.shape[1:]))


def _between(points: list[tuple[float, float]], work: float) -> float:
    by_work: dict[float, list[float]] = {}
    for at, ms in points:
        by_work.setdefault(at, []).append(ms)
    known = sorted(by_work)
    return float(np.interp(work, known, [float(np.mean(by_work[at])) for at in known]))
