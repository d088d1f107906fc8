"""A task with players, for tests: a student, its averaged teacher, and a critic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from edgekit.tasks import Classification, Player
from tests.edgekit.training.nets import tiny_net

CRITIC = {"optimizer": "adamw", "options": {"betas": (0.5, 0.9), "weight_decay": 0.0}}


class Pair(nn.Module):
    """A student with a teacher that is its moving average, a critic, and a queue of logits."""

    def __init__(self):
        super().__init__()
        self.student, self.teacher = tiny_net(), tiny_net().requires_grad_(False)
        self.critic = nn.Linear(2, 1)
        self.register_buffer("queue", torch.zeros(8, 2))
        self.register_buffer("acted", torch.zeros(2, dtype=torch.int64))

    def forward(self, x):
        return self.student(x)


@dataclass(frozen=True)
class Duel(Classification):
    """The student also pleases a critic, which tells its logits from those in the queue."""

    name: ClassVar[str] = "duel"
    spoil: bool = False

    def players(self, net):
        return (
            Player("critic", list(net.critic.parameters()), self.critic_losses, **CRITIC),
            Player("student", list(net.student.parameters()), self.student_losses, every=2, lr=0.5),
        )

    def critic_losses(self, net, batch):
        net.acted[0] += 1
        own = net.student(batch.inputs).detach()
        return {"real": net.critic(net.queue).square().mean(), "fake": (net.critic(own) - 1).square().mean()}

    def student_losses(self, net, batch):
        net.acted[1] += 1
        logits = net.student(batch.inputs)
        losses = self.losses(lambda _: logits, batch)
        pleased = net.critic(logits).square().mean()
        return {**losses, "pleased": pleased * float("inf") * 0 if self.spoil else pleased}

    def after_step(self, net, step):
        net.queue.copy_(torch.roll(net.queue, 1, 0))
        net.queue[0] = float(step)
        for old, new in zip(net.teacher.parameters(), net.student.parameters(), strict=True):
            old.lerp_(new, 0.1)
