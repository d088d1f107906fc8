"""Stripe-wise pruning: a learned skeleton says which positions of which filters are needed.

Paper: Meng et al., "Pruning Filter in Filter", NeurIPS 2020, https://arxiv.org/abs/2009.14410; code:
fxmeng/Pruning-Filter-in-Filter.

Every convolution computes with W * I, I of shape (N, kh, kw), 1 at first. I learns by the task's loss
and alpha * |I|_1 (the gradient gets alpha * sign(I)); what falls to delta or below is zero from then
on, and gets no gradient.

Ours differs in what is shipped: the paper's single stripes are 1x1 convolutions whose shifted outputs
are added by index, slower on phones than the convolution they replace. Here the filters of least |I|
go as whole channels, within the budget; a kernel whose outer positions are zero in all filters that
stay is cut (3x3 to 1x3, 3x1 or 1x1); other zeros stay zeros. With alpha = 0 there is no skeleton, and
training is plain. Under AdamW and float16, I shrinks beside the step, as in IncReg.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from edgekit.models.surgery.groups import ChannelGroup
from edgekit.models.surgery.kernels import can_shrink, centred_size
from edgekit.nn import DynamicConv2d
from edgekit.pruning.method import METHODS, Allocation, PruningMethod, Scores, shrinks_beside_step
from edgekit.training.hooks import Training
from edgekit.training.schedule import learning_rate

PUBLISHED_ALPHA = 1e-5
PUBLISHED_LR_SUM = 6600.0  # of all steps' learning rates: what moves a stripe that nothing holds


class Skeleton(nn.Module):
    """Multiplies a weight, shape (..., N, C, kh, kw), by a factor for each stripe, shape (N, kh, kw)."""

    def __init__(self, weight: Tensor):
        super().__init__()
        filters, _, height, width = weight.shape[-4:]
        self.stripes = nn.Parameter(torch.ones(filters, height, width, device=weight.device))

    def forward(self, weight: Tensor) -> Tensor:
        return weight * self.stripes.unsqueeze(1)


@METHODS.register("stripe")
class StripePruning(PruningMethod):
    """Learns filter skeletons.

    Args:
        alpha: strength of the L1 norm. Default: the paper's 1e-5, larger where the sum of the run's
            learning rates is smaller than the paper's.
        delta: stripes of at most this are zero.
    """

    decides_at_end = True

    def __init__(
        self,
        groups: Sequence[ChannelGroup],
        allocation: Allocation,
        alpha: float | None = None,
        delta: float = 0.01,
    ):
        super().__init__(groups, allocation)
        if (alpha is not None and not alpha >= 0) or not 0 <= delta < 1:
            raise ValueError(f"alpha is {alpha}, delta {delta}; alpha must be 0 or more, delta in [0, 1)")
        self.alpha, self.delta = alpha, delta
        self._strength = 0.0
        self._alive: dict[str, Tensor] = {}
        self._size: dict[str, Tensor] = {}

    def prepare(self, model: nn.Module) -> None:
        super().prepare(model)
        if self.alpha == 0:
            return
        makers = {name for group in self.groups for name in group.layers}
        for name, conv in list(model.named_modules()):
            wide = isinstance(conv, nn.Conv2d) and conv.groups == 1 and max(conv.kernel_size) > 1
            if (wide or name in makers) and not parametrize.is_parametrized(conv):
                parametrize.register_parametrization(conv, "weight", Skeleton(conv.weight))

    def on_train_begin(self, run: Training) -> None:
        self._beside = shrinks_beside_step(run)
        steps = run.recipe.epochs * run.steps_per_epoch
        warmup = min(run.recipe.warmup_epochs, run.recipe.epochs - 1) * run.steps_per_epoch
        rates = (
            learning_rate(step, steps=steps, warmup_steps=warmup, peak=run.recipe.lr) for step in range(steps)
        )
        fitting = PUBLISHED_ALPHA * max(1.0, PUBLISHED_LR_SUM / sum(rates))
        self._strength = fitting if self.alpha is None else self.alpha

    def on_backward_end(self, run: Training) -> None:
        for _, stripes in skeletons(run.model):
            alive = stripes.abs() > self.delta
            stripes.mul_(alive)
            if stripes.grad is not None:
                if not self._beside:
                    stripes.grad.add_(stripes.sign(), alpha=self._strength)
                stripes.grad.mul_(alive)

    def on_step_end(self, run: Training) -> None:
        if self._beside:
            rate = run.optimizer.param_groups[0]["lr"] * self._strength
            for _, stripes in skeletons(run.model):
                stripes.sub_((stripes.abs().clamp(max=rate)) * stripes.sign())

    def scores(self, run: Training) -> Scores:
        """Return the mean |I| of each channel; without a skeleton its norm."""
        if not self._size:
            return super().scores(run)
        return {g.name: torch.stack([self._size[n] for n in g.layers]).mean(0) for g in self.groups}

    def finalize(self, run: Training) -> None:
        for name, stripes in skeletons(run.model):
            stripes.mul_(stripes.abs() > self.delta)
            self._alive[name], self._size[name] = stripes != 0, stripes.detach().abs().mean((1, 2))
        for name in self._alive:
            parametrize.remove_parametrizations(run.model.get_submodule(name), "weight")
        super().finalize(run)
        gone = {name: self.plan.get(group.name, ()) for group in self.groups for name in group.layers}
        for name, alive in self._alive.items():
            conv = run.model.get_submodule(name)
            stay = torch.ones(len(alive), dtype=torch.bool, device=alive.device)
            stay[list(gone.get(name, ()))] = False
            size = centred_size(alive[stay].any(0))
            if can_shrink(conv) and size != conv.kernel_size and not isinstance(conv, DynamicConv2d):
                self.kernels[name] = size

    def report(self) -> dict[str, Any]:
        """Return the constants, and how many stripes there were and are."""
        return {
            "alpha": self._strength,
            "delta": self.delta,
            "published": self._strength == PUBLISHED_ALPHA,
            "stripes": sum(alive.numel() for alive in self._alive.values()),
            "alive": sum(int(alive.sum()) for alive in self._alive.values()),
        }


def skeletons(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield each convolution that has a skeleton, by name, with its stripes."""
    for name, module in model.named_modules():
        if parametrize.is_parametrized(module, "weight"):
            for part in module.parametrizations.weight:
                if isinstance(part, Skeleton):
                    yield name, part.stripes
