"""A network that has every candidate at every place, one of which works at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from edgekit.models import build_model
from edgekit.models.choices import OWN, SKIP
from edgekit.search.blocks.space import Space


class Place(nn.Module):
    """The candidates at one place, with a score for each; their softmax is how likely each is the best.

    Attributes:
        score: shape (candidates,), learnt apart from the weights.
        path: names of those that work; none: the likeliest alone.
        gates: weight of each of them, shape (len(path),).
        block_images: forward passes of blocks so far, times their images; a skipped block is none.
    """

    path: tuple[str, ...] = ()
    gates: Tensor
    block_images: int = 0

    def __init__(self, candidates: Mapping[str, nn.Module]):
        super().__init__()
        self.candidates = nn.ModuleDict(candidates)
        self.score = nn.Parameter(torch.zeros(len(candidates)), requires_grad=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates that are left."""
        return tuple(self.candidates)

    def probabilities(self) -> dict[str, float]:
        """Return how likely each candidate is the best."""
        return dict(zip(self.names, self.score.detach().softmax(0).tolist(), strict=True))

    def keep(self, names: Collection[str]) -> None:
        """Drop all candidates but ``names``, with their weights."""
        rows = [row for row, name in enumerate(self.names) if name in names]
        self.candidates = nn.ModuleDict({n: block for n, block in self.candidates.items() if n in names})
        self.score = nn.Parameter(self.score.detach()[rows].clone(), requires_grad=False)
        self.path = ()

    def take(self, rows: list[int], gates: Tensor | None = None) -> None:
        """Let the candidates at ``rows`` work, weighed by ``gates`` where there are several."""
        self.path = tuple(self.names[row] for row in rows)
        if gates is not None:
            self.gates = gates

    def take_count(self) -> int:
        """Return ``block_images`` and count from 0 again."""
        count, self.block_images = self.block_images, 0
        return count

    def forward(self, x: Tensor) -> Tensor:
        """Return what the candidates of the path make of a map."""
        path = self.path or (self.names[int(self.score.argmax())],)
        self.block_images += len(x) * sum(name != SKIP for name in path)
        if len(path) == 1:
            return self.candidates[path[0]](x)
        made = [gate * self.candidates[name](x) for name, gate in zip(path, self.gates, strict=True)]
        return torch.stack(made).sum(0)


def build_supernet(space: Space) -> nn.Module:
    """Return the network of ``space`` with random weights and a ``Place`` in place of each block."""
    kinds = dict.fromkeys(name for names in space.candidates for name in names if name != SKIP)
    made: dict[str, Any] = {}
    for kind in kinds:
        choices = [kind if kind in names else OWN for names in space.candidates]
        made[kind] = build_model(space.spec_of(choices)).blocks
    network = build_model(space.spec)
    for place, names in enumerate(space.candidates):
        blocks = {name: nn.Identity() if name == SKIP else made[name][place] for name in names}
        network.blocks[place] = Place(blocks)
    return network


def places_of(model: nn.Module) -> list[Place]:
    """Return the places of a supernet, front to back."""
    return [module for module in model.modules() if isinstance(module, Place)]
