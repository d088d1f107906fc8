"""Methods that let groups of channels go one by one while the network trains, ranked by importance.

What they share: all layers' groups in one table with a row for each layer, so that a step costs a
few operations, however many layers there are; which groups are gone for good; and what is said of
those that were still there at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from edgekit.pruning.filters import filter_norms, zero_channels
from edgekit.pruning.method import PruningMethod, Scores
from edgekit.training.hooks import Training

PHASE_SHARE = 0.8  # of the phase's steps, in which the last group of the slowest layer shall be gone


class GradualPruning(PruningMethod):
    """A base; a method ranks, and says when a group is gone.

    Attributes:
        gone: True where a group is gone for good, shape (layers, most groups of a layer). A layer here
            is one of ``targets()``; places behind a layer's last group are not ``real``.
        going: how many groups of each layer have yet to go, shape (layers, 1).
    """

    def on_train_begin(self, run: Training) -> None:
        targets = self.targets()
        self.sizes = [(group.channels, count) for group, count in targets]
        most = max(channels for channels, _ in self.sizes)
        self.real = torch.zeros(len(targets), most, dtype=torch.bool, device=run.device)
        for row, (channels, _) in enumerate(self.sizes):
            self.real[row, :channels] = True
        self.gone = torch.zeros_like(self.real)
        self.wanted = torch.tensor([[count] for _, count in self.sizes], device=run.device)
        self._by_rank = 0

    @property
    def going(self) -> Tensor:
        return self.wanted - self.gone.sum(1, keepdim=True)

    @property
    def left(self) -> Tensor:
        """True where a group is left."""
        return self.real & ~self.gone

    def table(self) -> Tensor:
        """Return zeros, float64: one for each group of each layer."""
        return torch.zeros(self.real.shape, dtype=torch.float64, device=self.real.device)

    def norms(self, model: nn.Module, p: int = 1) -> Tensor:
        """Return each group's norm."""
        norms = self.table()
        for row, (group, _) in enumerate(self.targets()):
            norms[row, : group.channels] = filter_norms(model, group, p)
        return norms

    def ranks(self, values: Tensor) -> Tensor:
        """Return each left group's position in its layer, 0 has the least of ``values``; others come last."""
        ordered = values.masked_fill(~self.left, torch.inf).argsort(dim=1, stable=True)
        return ordered.argsort(dim=1).double()

    def let_go(self, arrived: Tensor, values: Tensor) -> bool:
        """Remove for good the groups that are True in ``arrived``; of too many those of most ``values``."""
        arrived = arrived & self.left & (self.going > 0)
        if not arrived.any():
            return False
        # Several may arrive in one step, but no layer loses more than it shall.
        order = values.masked_fill(~arrived, -torch.inf).argsort(dim=1, descending=True, stable=True)
        self.gone |= arrived & (order.argsort(dim=1) < self.going)
        return True

    def on_step_end(self, run: Training) -> None:
        """Keep what is gone at zero, whatever momentum says."""
        for row, (group, _) in enumerate(self.targets()):
            zero_channels(run.model, group, self.gone[row, : group.channels])

    def importance(self) -> Tensor | None:
        """Return what the groups that are left rank by at the end, or ``None`` before the first step."""
        raise NotImplementedError

    def scores(self, run: Training) -> Scores:
        values = self.importance()
        values = self.norms(run.model) if values is None else values
        values = values.masked_fill(self.gone, -torch.inf)
        return {group.name: values[row, : group.channels] for row, (group, _) in enumerate(self.targets())}

    def finalize(self, run: Training) -> None:
        self._by_rank = int(self.going.sum())
        super().finalize(run)

    def metrics(self, run: Training) -> dict[str, float]:
        return {"gone": round(float(self.gone.sum() / self.wanted.sum()), 4)}

    def report(self) -> dict[str, Any]:
        return {"removed_by_rank_at_the_end": self._by_rank, "of": int(self.wanted.sum())}

    def warnings(self) -> tuple[str, ...]:
        if not self._by_rank:
            return ()
        return (
            f"{self._by_rank} of {int(self.wanted.sum())} channels were still there when the phase ended and "
            "were removed by rank; with more --epochs they go while the network trains",
        )

    def state_dict(self) -> dict[str, Tensor]:
        return {"gone": self.gone}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.gone.copy_(state["gone"])
