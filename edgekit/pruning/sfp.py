"""Soft filter pruning: after every epoch the smallest filters become zero, but go on learning.

Paper: He et al., "Soft Filter Pruning for Accelerating Deep Convolutional Neural Networks",
IJCAI 2018, https://arxiv.org/abs/1808.06866, section 3.2. Ours differs in three points. Only whole
groups of channels are pruned, so that the compact network is exact and dense. Exactly as many
filters are zeroed as will go after rounding, so that none is left in it that is zero. And the first
zeroing comes after the first epoch: behind batch norm and ReLU a filter of zeros whose shift is
below 0 gets no gradient; what lets it grow again is momentum, which it has none of before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from edgekit.pruning.filters import filter_norms, smallest, zero_filters
from edgekit.pruning.method import METHODS, PruningMethod
from edgekit.training.hooks import Training

_ALIVE = 0.01  # of its layer's median norm: below, batch norm's epsilon keeps a filter from being heard


@METHODS.register("sfp")
class SoftFilterPruning(PruningMethod):
    """Zeroes the filters of least L2 norm after each epoch, as many as will go.

    Gradients, momentum and batch norm are left alone: a zeroed filter may grow again, and the set
    may change from epoch to epoch.
    """

    def __init__(self, groups, allocation):
        super().__init__(groups, allocation)
        self._zeroed: dict[str, Tensor] = {}
        self._revived: list[float] = []

    def share_at(self, epoch: int, epochs: int) -> float:
        """Return the share of the filters that will go to be zeroed after ``epoch`` of ``epochs`` epochs."""
        return 1.0

    def on_train_begin(self, run: Training) -> None:
        self._zeroed = {
            group.name: torch.zeros(group.channels, dtype=torch.bool) for group, _ in self.targets()
        }

    def on_epoch_end(self, run: Training) -> None:
        if any(gone.any() for gone in self._zeroed.values()):
            self._revived.append(self._share_alive(run))
        share = self.share_at(run.epoch + 1, run.recipe.epochs)
        for group, count in self.targets():
            indices = smallest(filter_norms(run.model, group), int(count * share))
            zero_filters(run.model, group, indices)
            self._zeroed[group.name] = torch.zeros(group.channels, dtype=torch.bool)
            self._zeroed[group.name][list(indices)] = True

    def _share_alive(self, run: Training) -> float:
        """Return the share of the filters zeroed an epoch ago that live again."""
        alive, zeroed = 0, 0
        for group, _ in self.targets():
            gone = self._zeroed[group.name]
            norms = filter_norms(run.model, group).cpu()
            alive += int((norms[gone] > _ALIVE * norms.median()).sum())
            zeroed += int(gone.sum())
        return alive / zeroed

    def metrics(self, run: Training) -> dict[str, float]:
        return {"revived": round(self._revived[-1], 4)} if self._revived else {}

    def report(self) -> dict[str, Any]:
        return {"revived": [round(share, 4) for share in self._revived]}

    def state_dict(self) -> dict[str, Tensor]:
        return {**self._zeroed, "revived": torch.tensor(self._revived, dtype=torch.float64)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self._zeroed = {name: state[name].clone() for name in self._zeroed}
        self._revived = state["revived"].tolist()
