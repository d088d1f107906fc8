"""Several networks that train side by side as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from edgekit.tasks import Batch, Net, total
from edgekit.training.hooks import Training
from edgekit.training.technique import Objective


class Students(nn.Module):
    """Networks that train as one; in eval mode it is the one that is ``kept``."""

    def __init__(self, nets: Sequence[nn.Module]):
        super().__init__()
        self.nets = nn.ModuleList(nets)
        self.register_buffer("kept", torch.tensor(0))
        self.register_buffer("losses", torch.zeros(len(nets)))  # of each net in this epoch, added up

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs of all, (M, B, classes), or in eval mode of one, (B, classes)."""
        return torch.stack([net(x) for net in self.nets]) if self.training else self.nets[int(self.kept)](x)


class LossOfAll:
    """The inner losses, added up over all networks."""

    def __init__(self, inner: Objective):
        self.inner = inner

    def losses(self, run: Training, batch: Batch) -> Mapping[str, Tensor]:
        return self.inner.losses(_AllStudents(run), batch)


class _AllStudents:
    """The run as the inner objective sees it: its task takes the outputs of all networks."""

    def __init__(self, run: Training):
        self._run, self.task = run, self

    def losses(self, net: Net, batch: Batch) -> Mapping[str, Tensor]:
        task, outputs = self._run.task, net(batch.inputs)
        losses = torch.stack([total(task.losses(lambda _, own=own: own, batch)) for own in outputs])
        self._run.model.losses += losses.detach()
        return {"students": losses.sum()}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)
