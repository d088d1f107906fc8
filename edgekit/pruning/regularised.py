"""Regularisers of whole groups, as in torch-pruning, that make unimportant channels small before they go.

- ``group-norm``: DepGraph, Fang et al., CVPR 2023, https://arxiv.org/abs/2301.12900, section 3.4: each
  step the gradient of all weights of channel k gets reg * gamma_k * w, gamma_k = alpha^((max I - I_k) /
  (max I - min I)), from 1 for the most important channel to alpha for the least.
- ``growing-reg``: GReg-2, Wang et al., ICLR 2021, https://arxiv.org/abs/2012.09243: the factor of every
  channel grows by delta * (max I - I_k) / (max I - min I) every ``every`` steps.

I_k is the norm of all weights of the channel: filters that make it, batch norm's scale, and what reads
it. Ours differs from ``torch_pruning``'s pruners: they find the groups anew in each step with Python
lists; here a group is its layers' slices, so that dynamic layers take part. Weights shrink by
lr * factor beside the step under AdamW and float16, as in IncReg.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from edgekit.models.surgery.groups import ChannelGroup
from edgekit.nn import DynamicConv2d
from edgekit.pruning.method import (
    METHODS,
    Allocation,
    PruningMethod,
    Scores,
    relative,
    shrinks_beside_step,
)
from edgekit.training.hooks import Training


class GroupRegularisation(PruningMethod):
    """A base: shrinks the weights of each channel by a factor of its own, and removes the smallest."""

    decides_at_end = True

    def factors(self, group: ChannelGroup, importance: Tensor, run: Training) -> Tensor:
        """Return the factor of each channel in this step, shape (channels,)."""
        raise NotImplementedError

    def on_train_begin(self, run: Training) -> None:
        self._beside = shrinks_beside_step(run)

    def on_backward_end(self, run: Training) -> None:
        for group in self.groups:
            factors = self.factors(group, group_norms(run.model, group), run)
            for weight, dim in weights_of(run.model, group):
                shape = [1] * weight.ndim
                shape[dim] = -1
                shrink = factors.to(weight.dtype).reshape(shape)
                if self._beside:
                    weight.mul_(1 - run.optimizer.param_groups[0]["lr"] * shrink)
                elif weight.grad is not None:
                    weight.grad.addcmul_(weight, shrink)

    def scores(self, run: Training) -> Scores:
        return {group.name: relative(group_norms(run.model, group)) for group in self.groups}


@METHODS.register("group-norm")
class GroupNormPruning(GroupRegularisation):
    """DepGraph's regulariser.

    Args:
        reg: its strength.
        alpha: how much more the least important channel shrinks than the most important one.
    """

    def __init__(
        self, groups: Sequence[ChannelGroup], allocation: Allocation, reg: float = 1e-4, alpha: float = 16.0
    ):
        super().__init__(groups, allocation)
        if not reg >= 0 or not alpha >= 1:
            raise ValueError(f"reg is {reg}, alpha {alpha}; reg must be 0 or more, alpha 1 or more")
        self.reg, self.alpha = reg, alpha

    def factors(self, group: ChannelGroup, importance: Tensor, run: Training) -> Tensor:
        return self.reg * self.alpha ** unimportance(importance)


@METHODS.register("growing-reg")
class GrowingRegularisation(GroupRegularisation):
    """GReg-2.

    Args:
        reg: the factor of every channel at first.
        delta: what that of the least important one grows by.
        every: steps between two growths.
    """

    def __init__(
        self,
        groups: Sequence[ChannelGroup],
        allocation: Allocation,
        reg: float = 1e-5,
        delta: float = 1e-4,
        every: int = 10,
    ):
        super().__init__(groups, allocation)
        if not reg >= 0 or not delta >= 0 or every < 1:
            raise ValueError(f"reg is {reg}, delta {delta}, every {every}; they must be 0 or more, every 1")
        self.reg, self.delta, self.every = reg, delta, every

    def on_train_begin(self, run: Training) -> None:
        super().on_train_begin(run)
        self._factors = {g.name: torch.full((g.channels,), self.reg, device=run.device) for g in self.groups}

    def factors(self, group: ChannelGroup, importance: Tensor, run: Training) -> Tensor:
        if (run.step + 1) % self.every == 0:
            self._factors[group.name] += self.delta * unimportance(importance)
        return self._factors[group.name]

    def state_dict(self) -> dict[str, Tensor]:
        return dict(self._factors)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        for name, factors in self._factors.items():
            factors.copy_(state[name])


def unimportance(importance: Tensor) -> Tensor:
    """Return 0 for the most important channel up to 1 for the least."""
    most, least = importance.max(), importance.min()
    return (most - importance) / (most - least).clamp(min=1e-8)


def group_norms(model: nn.Module, group: ChannelGroup) -> Tensor:
    """Return the norm of all weights of each channel, shape (channels,)."""
    squares = [
        weight.detach().transpose(0, dim).pow(2).reshape(group.channels, -1).sum(1)
        for weight, dim in weights_of(model, group)
    ]
    return torch.stack(squares).sum(0).sqrt()


def weights_of(model: nn.Module, group: ChannelGroup) -> Iterator[tuple[nn.Parameter, int]]:
    """Yield the weights that belong to the channels one by one, each with the dimension of the channels."""
    for part in group.parts:
        layer = model.get_submodule(part.layer)
        if not isinstance(layer, nn.Conv2d | nn.Linear | DynamicConv2d | _BatchNorm) or layer.weight is None:
            continue
        dim = (0 if part.is_output else 1) + isinstance(layer, DynamicConv2d)
        if part.indices == tuple(range(group.channels)) and layer.weight.shape[dim] == group.channels:
            yield layer.weight, dim
