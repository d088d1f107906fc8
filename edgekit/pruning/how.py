"""How to prune: the method with its constants, the budget, and the epochs before and after the removal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from edgekit.pruning.budget import Budget
from edgekit.pruning.method import PruningMethod
from edgekit.training.recipe import Recipe


@dataclass(frozen=True)
class Pruning:
    """How to prune.

    Attributes:
        method: one of ``METHODS``; ``options`` are its constants.
        budget: how much.
        epochs: of training with the method; default: the method's own, for most half of the recipe's.
        finetune_epochs: of the compact network; default: half of the recipe's, or all of them where a
            method leaves a network that has learned nothing.
        reestimate: estimate batch norm's statistics anew after the removal.
        teacher: a checkpoint that the compact network learns from; ``dense``: the one that is pruned.
    """

    method: str = "psfp"
    budget: Budget = field(default_factory=lambda: Budget(rate=0.3))
    options: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    finetune_epochs: int | None = None
    reestimate: bool = True
    teacher: str | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "finetune_epochs"):
            epochs = getattr(self, name)
            if epochs is not None and epochs < 0:
                raise ValueError(f"{name} is {epochs}; it must be 0 or more")

    def epochs_of(self, method: type[PruningMethod], recipe: Recipe) -> tuple[int, int]:
        """Return the epochs with the method and those after it."""
        half = max(1, recipe.epochs // 2)
        first = half if method.epochs is None else method.epochs
        last = recipe.epochs if method.from_random else half
        return (
            first if self.epochs is None else self.epochs,
            last if self.finetune_epochs is None else self.finetune_epochs,
        )

    def identity(self) -> dict[str, Any]:
        """Return what decides the result, apart from the epochs, as JSON reads it back."""
        values = {
            "method": self.method,
            "options": dict(self.options),
            "budget": self.budget.identity(),
            "reestimate": self.reestimate,
        }
        return msgspec.json.decode(msgspec.json.encode(values))
