"""Filter grafting: networks trained side by side give each other weights where they carry little.

Paper: Meng et al., "Filter Grafting for Deep Neural Networks", https://arxiv.org/abs/2001.05868. After
every epoch network i takes from network i - 1 in a ring, layer by layer: W_i <- a W_i + (1 - a) W_(i-1),
a = A / pi * arctan(c (H(W_i) - H(W_(i-1)))) + 1/2, as in the authors' code (the paper prints no 1 / pi),
H the entropy of a layer's weights in 10 bins. What follows a convolution (batch norm, classifier) takes
that convolution's a. The nets differ in their first weights and learning rates (the paper's "dlr");
ours see the same batches, and the one of least loss in the last epoch is kept. With ``kd`` it is DGD
(Cheng et al., "DGD: Densifying the Knowledge of Neural Networks with Filter Grafting and Knowledge
Distillation", https://arxiv.org/abs/2004.12311): every net also learns from one teacher.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edgekit.training.hooks import Hook, Training
from edgekit.training.technique import Objective, Technique, register_technique
from edgekit.training.techniques.students import LossOfAll, Students

_BINS = 10


@register_technique("grafting")
class Grafting(Technique):
    """Trains several networks and keeps one.

    Args:
        nets: how many; one is plain training.
        strength: A; a lies within 1/2 -+ A / 2.
        steepness: c.
        redraw: give the other nets first weights of their own, by permuting each layer's; without it
            they start as copies, as they must where the first weights are trained already.
        same_lr: train all at the same learning rate.

    Raises:
        ValueError: a number is out of range.
    """

    def __init__(
        self,
        nets: int = 2,
        strength: float = 0.4,
        steepness: float = 500.0,
        redraw: bool = True,
        same_lr: bool = False,
    ):
        if nets < 1 or not 0 <= strength <= 1 or not 0 <= steepness < math.inf:
            raise ValueError(
                f"grafting: nets={nets}, strength={strength}, steepness={steepness}; nets must be 1 or more, "
                "strength from 0 to 1, steepness 0 or more"
            )
        self.nets, self.strength, self.steepness = nets, strength, steepness
        self.redraw, self.same_lr = redraw, same_lr

    def network(self, model: nn.Module) -> nn.Module:
        others = [copy.deepcopy(model) for _ in range(self.nets - 1)]
        for parameter in [p for net in others for p in net.parameters() if self.redraw and p.ndim > 1]:
            # Independent draws stay independent draws in another order, whatever they were drawn from.
            order = torch.randperm(parameter.numel(), device=parameter.device)
            parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
        return Students([model, *others]) if others else model

    def trained(self, network: nn.Module) -> nn.Module:
        return network.nets[int(network.kept)] if isinstance(network, Students) else network

    def objective(self, inner: Objective) -> Objective:
        return LossOfAll(inner) if self.nets > 1 else inner

    def hooks(self) -> Sequence[Hook]:
        return (_Graft(self),) if self.nets > 1 else ()


class _Graft(Hook):
    def __init__(self, options: Grafting):
        self.options = options
        self.before: list[list[Tensor]] = []

    def on_epoch_begin(self, run: Training) -> None:
        run.model.losses.zero_()

    def on_step_begin(self, run: Training) -> None:
        # After the epoch's test, as in the authors' code; the last epoch's nets are not mixed any more.
        if run.step % run.steps_per_epoch == 0 and run.epoch > 0:
            graft(run.model.nets, self.options.strength, self.options.steepness)
        self.before = [[p.clone() for p in net.parameters()] for net in run.model.nets[1:]]

    def on_step_end(self, run: Training) -> None:
        """Shorten the steps of all nets but the first: their learning rates are lower."""
        count = len(run.model.nets)
        for index, before in enumerate(self.before if not self.options.same_lr else [], start=1):
            rate = (1 + math.cos(math.pi * index / count)) / 2
            for parameter, old in zip(run.model.nets[index].parameters(), before, strict=True):
                parameter.copy_(torch.lerp(old, parameter, rate))

    def on_epoch_end(self, run: Training) -> None:
        run.model.kept.copy_(run.model.losses.argmin())

    def metrics(self, run: Training) -> dict[str, float]:
        layers = [p for p in run.trained().parameters() if p.ndim > 2]
        return {"entropy": sum(map(entropy, layers)) / len(layers)} if layers else {}


def entropy(weights: Tensor) -> float:
    """Return the entropy in nats of ``weights`` in 10 bins of equal width from the least to the largest."""
    counts = torch.histc(weights.detach().float(), _BINS)
    shares = counts[counts > 0] / counts.sum()
    return max(0.0, -(shares * shares.log()).sum().item())


def own_share(own: Tensor, other: Tensor, strength: float, steepness: float) -> float:
    """Return a: the share that a layer keeps of its own weights, to two digits."""
    difference = entropy(own) - entropy(other)
    return round(strength / math.pi * math.atan(steepness * difference) + 0.5, 2)


def graft(nets: Sequence[nn.Module], strength: float, steepness: float) -> None:
    """Mix every net with the one before it, all as they were before; the first takes from the last."""
    before = [{name: tensor.clone() for name, tensor in _mixed(net).items()} for net in nets]
    for net, own, other in zip(nets, before, [before[-1], *before[:-1]], strict=True):
        share = None
        for name, tensor in _mixed(net).items():
            if share is None or tensor.ndim > 2:
                share = own_share(own[name], other[name], strength, steepness)
            tensor.copy_(torch.lerp(other[name], own[name], share))


def _mixed(net: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and batch norm's running statistics, layer by layer."""
    parameters = dict(net.named_parameters())
    return {
        name: tensor
        for name, tensor in net.state_dict().items()
        if name in parameters or name.endswith((".running_mean", ".running_var"))
    }
