"""Pruning from scratch: the widths of a network are found on its random weights, then it is trained.

Paper: Wang et al., "Pruning from Scratch", AAAI 2020, https://arxiv.org/abs/1909.12579; code:
frankwang345/pruning-from-scratch.

Every channel gets a gate in [0, 1], 1 at first, that multiplies it behind batch norm and before the
activation. Only the gates learn (Adam), on the task's loss + gamma * (mean |gate| - r)^2; weights
stay as they were drawn. Then the channels of the least gates of the whole network go until the budget
is met, and what is left is trained from its start, for as many epochs as the whole network would be.

Ours differs: the last gates are used, not the best of a validation (the loss's second part has them
near r by then); widths are rounded inside the search; the network is as wide as the spec says, where
the paper starts from one a quarter wider: choose a width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from edgekit.models.surgery.groups import ChannelGroup
from edgekit.pruning.method import METHODS, Allocation, PruningMethod, Scores
from edgekit.training.hooks import Training

_GATE = "pruning_gate_"  # and the group's number: a parameter of the network


@METHODS.register("from-scratch")
class PruningFromScratch(PruningMethod):
    """Learns a gate for each channel.

    Args:
        r: what the mean of the gates is drawn to: the paper's 0.2 for CIFAR, 0.5 for ImageNet.
        gamma: how strongly; 0.5 for CIFAR, 0.05 for ImageNet.
        lr: of the gates.
    """

    from_random = True
    decides_at_end = True
    share = "global"
    epochs = 10

    def __init__(
        self,
        groups: Sequence[ChannelGroup],
        allocation: Allocation,
        r: float = 0.2,
        gamma: float = 0.5,
        lr: float = 0.01,
    ):
        super().__init__(groups, allocation)
        if not 0 < r < 1 or not gamma >= 0 or not lr > 0:
            raise ValueError(f"r is {r}, gamma {gamma}, lr {lr}; r must be in (0, 1), the others above 0")
        self.r, self.gamma, self.lr = r, gamma, lr
        self._gates: list[nn.Parameter] = []
        self._handles: list[Any] = []
        self._mean = 1.0

    def prepare(self, model: nn.Module) -> None:
        super().prepare(model)
        if self._gates:
            return
        self._gates = [nn.Parameter(torch.ones(group.channels)) for group in self.groups]
        for number, (gate, group) in enumerate(zip(self._gates, self.groups, strict=True)):
            # So that processes of a DDP run average its gradients. No module: a sequence would call it.
            model.register_parameter(f"{_GATE}{number}", gate)
            for place in gated_layers(model, group):
                self._handles.append(
                    model.get_submodule(place).register_forward_hook(partial(_multiply, gate))
                )

    def on_train_begin(self, run: Training) -> None:
        self._adam = torch.optim.Adam(self._gates, lr=self.lr)

    def on_backward_end(self, run: Training) -> None:
        """Let the gates learn, and nothing else."""
        every = torch.cat([gate.detach() for gate in self._gates])
        pull = 2 * self.gamma * (every.abs().mean() - self.r) / len(every)
        for gate in self._gates:
            gate.grad = pull * gate.detach().sign() + (0.0 if gate.grad is None else gate.grad)
        self._adam.step()
        for gate in self._gates:
            gate.clamp_(0, 1)
        for parameter in run.model.parameters():
            parameter.grad = None  # the run's optimizer leaves alone what has none

    def scores(self, run: Training) -> Scores:
        return {g.name: gate.detach() for g, gate in zip(self.groups, self._gates, strict=True)}

    def finalize(self, run: Training) -> None:
        self._mean = float(torch.cat([gate.detach() for gate in self._gates]).mean())
        super().finalize(run)
        for handle in self._handles:
            handle.remove()
        for number in range(len(self._gates)):
            delattr(run.model, f"{_GATE}{number}")

    def metrics(self, run: Training) -> dict[str, float]:
        return {"mean_gate": round(float(torch.cat([gate.detach() for gate in self._gates]).mean()), 4)}

    def report(self) -> dict[str, Any]:
        widths = {g.name: g.channels - self.counts.get(g.name, 0) for g in self.groups}
        return {"r": self.r, "gamma": self.gamma, "mean_gate": round(self._mean, 4), "widths": widths}

    def state_dict(self) -> dict[str, Tensor]:
        state = self._adam.state_dict()["state"]
        return {f"{i}/{name}": value for i, values in state.items() for name, value in values.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        buffers: dict[int, dict[str, Tensor]] = {}
        for path, value in state.items():
            index, _, name = path.partition("/")
            buffers.setdefault(int(index), {})[name] = value.clone()
        self._adam.load_state_dict({**self._adam.state_dict(), "state": buffers})


def gated_layers(model: nn.Module, group: ChannelGroup) -> list[str]:
    """Return where the gates of ``group`` act: behind batch norm of each layer that makes its channels."""
    made = [part.layer for part in group.parts if part.is_output]
    norms = [name for name in made if isinstance(model.get_submodule(name), _BatchNorm)]
    found = []
    for layer in group.layers:
        beside = [name for name in norms if name.rpartition(".")[0] == layer.rpartition(".")[0]]
        behind = [name for name in beside if _follows(model, layer, name)]
        found.append(behind[0] if behind else layer)
    return found


def _follows(model: nn.Module, layer: str, norm: str) -> bool:
    names = [name for name, _ in model.named_modules()]
    return names.index(norm) > names.index(layer)


def _multiply(gate: Tensor, _: nn.Module, __: object, output: Tensor) -> Tensor:
    return output * gate.view(1, -1, 1, 1)
