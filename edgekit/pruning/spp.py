"""Structured probabilistic pruning: weights are masked by lot, with a probability that follows ranks.

Paper: Wang et al., "Structured Probabilistic Pruning for Convolutional Neural Network Acceleration",
BMVC 2018, https://arxiv.org/abs/1709.06994; code: Caffe_IncReg, commit cf55166, conv_layer.cpp.

Every step a mask is drawn, a weight stays with probability 1 - p_g, nothing is rescaled, and the
update acts on the whole weights. Every ``every`` steps groups are ranked by a decayed sum of their L1
norms (h <- 0.9 h + |W_g|) and p_g grows by the increment of IncReg at that rank, within [0, 1]:
a group that ranks well wins probability back. At p_g = 1 it is gone for good.

Ours differs: groups are whole channels (the code: columns). The test uses whole weights, as the code's does.
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
from edgekit.pruning.method import METHODS, Allocation, generator_of
from edgekit.training.hooks import Training

PUBLISHED_A, PUBLISHED_EVERY = 0.05, 180
DECAY = 0.9
DRAWS = ("element", "group")


@METHODS.register("spp")
class ProbabilisticPruning(GradualPruning):
    """SPP.

    Args:
        a: increment of the least important group per update; ``every``: steps per update. Default: the
            paper's, 0.05 and 180, if the run is long enough for them, else what removes the last
            group after 80 % of the steps.
        draw: ``element``: each weight has a draw of its own, as in the code; ``group``: one for all.
        increment: ``exp`` or ``linear``.
    """

    def __init__(
        self,
        groups: Sequence[ChannelGroup],
        allocation: Allocation,
        a: float | None = None,
        every: int | None = None,
        draw: str = "element",
        increment: str = "exp",
    ):
        super().__init__(groups, allocation)
        self.increment = check_shape(increment)
        if draw not in DRAWS:
            raise ValueError(f"draw is {draw!r}; allowed: {', '.join(DRAWS)}")
        if (a is not None and not 0 <= a <= 1) or (every is not None and every < 1):
            raise ValueError(f"a is {a}, every is {every}; a must be in [0, 1], every 1 or more")
        self.a, self.every, self.draw = a, every, draw

    def on_train_begin(self, run: Training) -> None:
        super().on_train_begin(run)
        self.probability, self.history = self.table(), self.table()
        self._masked: list[tuple[torch.nn.Parameter, Tensor, Tensor]] = []
        self.step_size, self.period = self._fitting(run)

    def _fitting(self, run: Training) -> tuple[float, int]:
        """Return what was asked, else the paper's constants, or quicker ones that are done in this run."""
        steps = PHASE_SHARE * run.recipe.epochs * run.steps_per_epoch
        a = PUBLISHED_A if self.a is None else self.a
        if not a:
            return a, self.every or PUBLISHED_EVERY
        updates = updates_needed(self.sizes, self.increment, a, 1.0)
        period = self.every or max(1, min(PUBLISHED_EVERY, int(steps / updates)))
        if self.a is None and updates * period > steps:
            a = min(1.0, a * updates * period / steps)
        return a, period

    def on_step_begin(self, run: Training) -> None:
        """Mask the weights for this step."""
        if not (self.probability * self.left).any():
            return
        random = generator_of(run)
        for row, (group, _) in enumerate(self.targets()):
            stay = 1 - self.probability[row, : group.channels].float()
            for conv in convs_of(run.model, group):
                shape = per_filter(stay, conv)
                drawn = torch.rand(
                    shape.shape if self.draw == "group" else conv.weight.shape, generator=random
                )
                mask = drawn.to(run.device) < shape
                self._masked.append((conv.weight, conv.weight.clone(), mask))
                conv.weight.mul_(mask)

    def on_backward_end(self, run: Training) -> None:
        """Restore the weights; what was masked has no gradient, but weight decay and momentum go on."""
        for weight, whole, mask in self._masked:
            if weight.grad is not None:
                weight.grad.mul_(mask)
            weight.copy_(whole)
        self._masked = []

    def on_step_end(self, run: Training) -> None:
        self.history.mul_(DECAY).add_(self.norms(run.model))
        if (run.step + 1) % self.period == 0:
            self._update()
        super().on_step_end(run)

    def _update(self) -> None:
        going, left = self.going, self.left
        delta = increments(
            self.increment,
            self.ranks(self.history),
            going.clamp(min=1),
            self.step_size,
            left.sum(1, keepdim=True),
        )
        self.probability = (self.probability + delta).clamp(0, 1) * (left & (going > 0))
        # 20 times 0.05 is not quite 1.
        if self.let_go(self.probability >= 1 - 1e-9, self.probability):
            self.probability *= self.left & (self.going > 0)

    def importance(self) -> Tensor | None:
        """Rank by probability, and where that is equal by norm: their sum's second part is below any step."""
        if not self.history.any():
            return None
        norm = self.history / self.history.amax(1, keepdim=True).clamp(min=1e-30)
        return norm * 1e-6 - self.probability

    def report(self) -> dict[str, Any]:
        published = (self.step_size, self.period) == (PUBLISHED_A, PUBLISHED_EVERY)
        return {"a": self.step_size, "every": self.period, "published": published, **super().report()}

    def state_dict(self) -> dict[str, Tensor]:
        return {**super().state_dict(), "probability": self.probability, "history": self.history}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        super().load_state_dict(state)
        self.probability.copy_(state["probability"])
        self.history.copy_(state["history"])
