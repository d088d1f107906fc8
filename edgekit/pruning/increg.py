"""Incremental regularisation: every group of weights has an L2 factor of its own, which grows by its rank.

Papers: Wang et al., "Structured Pruning for Efficient ConvNets via Incremental Regularization",
IJCNN 2019, https://arxiv.org/abs/1804.09461 (exponential increment), and its workshop version
https://arxiv.org/abs/1811.08390 (linear); code: MingSun-Tse/Caffe_IncReg, sgd_solver.cpp.

Each step: groups are ranked by L1 norm, ranks are averaged over all steps (rbar), and the factor
lambda_g grows by Delta(rank of rbar), never below 0. The gradient gets lambda_g * W_g. A group whose
factor reaches T is gone for good; a layer that has lost enough drops its other factors.

Ours differs: groups are whole channels (rows of every layer that makes them), as columns do not
shrink a convolution. Learning rate and weight decay stay the run's (the code: a twentieth, and half),
so that A = 0 is plain training. T is not scaled by the ratio. Under AdamW, which divides gradients by
their size, and with float16's scaled gradients, weights shrink by lr * lambda_g beside the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from edgekit.models.surgery.groups import ChannelGroup
from edgekit.pruning.filters import convs_of, per_filter
from edgekit.pruning.gradual import PHASE_SHARE, GradualPruning
from edgekit.pruning.increment import check_shape, increments, updates_needed
from edgekit.pruning.method import METHODS, Allocation, shrinks_beside_step
from edgekit.training.hooks import Training

PUBLISHED_A, PUBLISHED_T = 2.5e-4, 2.5


@METHODS.register("increg")
class IncrementalRegularisation(GradualPruning):
    """IncReg.

    Args:
        a: increment of the least important group per step. Default: the paper's, 2.5e-4, if the run is
            long enough for it, else what removes the last group after 80 % of the steps.
        t: factor at which a group is gone.
        increment: ``exp`` or ``linear``.
    """

    def __init__(
        self,
        groups: Sequence[ChannelGroup],
        allocation: Allocation,
        a: float | None = None,
        t: float = PUBLISHED_T,
        increment: str = "exp",
    ):
        super().__init__(groups, allocation)
        self.increment = check_shape(increment)
        if (a is not None and not a >= 0) or not t > 0:
            raise ValueError(f"a is {a}, t is {t}; a must be 0 or more, t above 0")
        self.a, self.t = a, t
        self.step_size = 0.0

    def on_train_begin(self, run: Training) -> None:
        super().on_train_begin(run)
        self.factor, self.average = self.table(), self.table()
        self.steps = torch.zeros((), dtype=torch.int64)
        self._beside = shrinks_beside_step(run)
        self.step_size = self._fitting(run) if self.a is None else self.a

    def _fitting(self, run: Training) -> float:
        """Return the paper's A, or a larger one that is done in this run."""
        steps = PHASE_SHARE * run.recipe.epochs * run.steps_per_epoch
        needed = updates_needed(self.sizes, self.increment, PUBLISHED_A, self.t)
        return PUBLISHED_A * max(1.0, needed / steps)

    def on_backward_end(self, run: Training) -> None:
        self.steps += 1
        ranks = self.ranks(self.norms(run.model))
        self.average += (ranks - self.average) / self.steps.item()
        going, left = self.going, self.left
        positions = self.ranks(self.average)
        delta = increments(
            self.increment, positions, going.clamp(min=1), self.step_size, left.sum(1, keepdim=True)
        )
        active = left & (going > 0)
        self.factor = ((self.factor + delta).clamp(min=0) * active).double()
        if self.let_go(self.factor >= self.t, self.factor):
            self.factor *= self.left & (self.going > 0)
        if not self._beside:
            for weight, factor in self._weights(run):
                if weight.grad is not None:
                    weight.grad.addcmul_(weight, factor)

    def on_step_end(self, run: Training) -> None:
        if self._beside:
            rate = run.optimizer.param_groups[0]["lr"]
            for weight, factor in self._weights(run):
                weight.mul_(1 - rate * factor)
        super().on_step_end(run)

    def _weights(self, run: Training):
        """Yield every weight with its filters' factors, in a shape that multiplies it."""
        factors = self.factor.to(torch.float32)
        for row, (group, _) in enumerate(self.targets()):
            for conv in convs_of(run.model, group):
                yield conv.weight, per_filter(factors[row, : group.channels], conv)

    def importance(self) -> Tensor | None:
        return self.average if self.steps else None

    def report(self) -> dict[str, Any]:
        published = self.step_size == PUBLISHED_A and self.t == PUBLISHED_T
        return {"a": self.step_size, "t": self.t, "published": published, **super().report()}

    def state_dict(self) -> dict[str, Tensor]:
        own = {"factor": self.factor, "average": self.average, "steps": self.steps}
        return {**super().state_dict(), **own}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        super().load_state_dict(state)
        for name in ("factor", "average", "steps"):
            getattr(self, name).copy_(state[name])


@METHODS.register("increg-linear")
class LinearIncrementalRegularisation(IncrementalRegularisation):
    """IncReg with the workshop's linear increment."""

    def __init__(
        self,
        groups: Sequence[ChannelGroup],
        allocation: Allocation,
        a: float | None = None,
        t: float = PUBLISHED_T,
    ):
        super().__init__(groups, allocation, a, t, "linear")
