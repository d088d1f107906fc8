"""Going on with the weights of a pruned checkpoint: what it lost stays gone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from torch import nn

from edgekit.models import ModelSpec
from edgekit.models.surgery.kernels import KernelPlan
from edgekit.models.surgery.plan import ChannelPlan
from edgekit.models.surgery.planned import as_planned, proof_input
from edgekit.tasks import Task
from edgekit.training.checkpoint import Checkpoint
from runtime.bundle import ImageSpec
from runtime.errors import CheckpointError

PRUNED = "pruned"  # in what a run is: the hash of what was removed


@dataclass(frozen=True)
class PrunedStart:
    """What a pruning did to the network that a training starts from; nothing, where there was none."""

    plan: ChannelPlan | None = None
    kernels: KernelPlan | None = None
    pruning: dict[str, Any] | None = None

    def network(self, task: Task, spec: ModelSpec, image: ImageSpec) -> nn.Module:
        """Return the network of ``spec`` with random weights and the shape that was left of it.

        Raises:
            PruneError: what was removed does not fit it.
        """
        model = task.build(spec)
        if not (self.plan or self.kernels):
            return model
        return as_planned(model, self.plan, self.kernels, proof_input(image))

    def identity(self) -> dict[str, Any]:
        """Return what a run's identity says of it; nothing of a whole network."""
        if not (self.plan or self.kernels):
            return {}
        removed = msgspec.json.encode([self.plan, self.kernels], order="sorted")
        return {PRUNED: hashlib.sha256(removed).hexdigest()}

    def kept(self) -> dict[str, Any]:
        """Return what the next checkpoint tells of it."""
        return {"plan": self.plan, "kernels": self.kernels, "pruning": self.pruning}


def pruned_of(init: object, spec: ModelSpec, task: Task) -> PrunedStart:
    """Return how ``init`` was pruned, if it is a checkpoint that was.

    Args:
        spec, task: of the training that starts from it.

    Raises:
        CheckpointError: it is a pruned network of another spec or task, whose channels are others.
    """
    if not isinstance(init, Checkpoint) or not (init.plan or init.kernels):
        return PrunedStart()
    data = {name: getattr(spec, name) for name in ("num_classes", "in_channels", "image_size")}
    check_same(init, replace(init.spec, **data), spec)
    if init.make_task() != task:
        raise CheckpointError(
            f"{init.path} is for {init.make_task()} and pruned, asked is {task}; prune it once it is trained"
        )
    return PrunedStart(init.plan, init.kernels, init.pruning)


def check_same(checkpoint: Checkpoint, own: ModelSpec, asked: ModelSpec) -> None:
    """Refuse a checkpoint of another network, whose spec is ``own``.

    Raises:
        CheckpointError: the message says what differs.
    """
    names = [name for name in own.__dataclass_fields__ if getattr(own, name) != getattr(asked, name)]
    if names:
        said = ", ".join(f"{name} {getattr(own, name)!r}" for name in names)
        given = ", ".join(f"{name} {getattr(asked, name)!r}" for name in names)
        raise CheckpointError(f"{checkpoint.path} has {said}, asked is {given}; ask for what it has")
