"""Knowledge distillation: the student also learns the teacher's opinion of every class.

Paper: Hinton et al., "Distilling the Knowledge in a Neural Network", https://arxiv.org/abs/1503.02531,
section 2: loss = (1 - w) * CE(y, z_s) + w * T^2 * KL(softmax(z_t / T) || softmax(z_s / T)); T^2 keeps
the second term's gradients as large at every temperature. The paper's soft term is the cross-entropy,
which differs from KL by the teacher's entropy, a constant. The first term is whatever loss the run has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgekit.data import Dataset
from edgekit.tasks import Batch
from edgekit.training.checkpoint import Checkpoint, load_checkpoint
from edgekit.training.hooks import Hook, Training
from edgekit.training.technique import Objective, Technique, register_technique
from runtime.errors import CheckpointError


@register_technique("kd")
class Distillation(Technique):
    """Distils from one checkpoint.

    Args:
        teacher: its folder.
        temperature: T.
        weight: w, the teacher's part of the loss; at 0 there is no teacher.

    Raises:
        ValueError: a number is out of range.
        CheckpointError: the teacher is no checkpoint, or knows other classes or images.
    """

    def __init__(self, teacher: str, temperature: float = 4.0, weight: float = 0.9):
        if not (temperature > 0 and 0 <= weight <= 1):
            raise ValueError(
                f"distillation: temperature={temperature}, weight={weight}; the temperature must be above 0, "
                "the weight from 0 to 1"
            )
        self.temperature, self.weight = temperature, weight
        self.checkpoint = load_checkpoint(teacher)
        self.teacher = self.checkpoint.build().requires_grad_(False)

    def check(self, dataset: Dataset) -> None:
        theirs = (self.checkpoint.labels, self.checkpoint.image)
        if theirs != (tuple(dataset.labels), dataset.image):
            raise CheckpointError(
                f"the teacher {self.checkpoint.path} was trained on {self.checkpoint.dataset!r} of "
                f"{self.checkpoint.image.size} pixels and {len(self.checkpoint.labels)} classes, the student "
                f"is on {dataset.name!r} of {dataset.image.size} and {len(dataset.labels)}; train a teacher "
                "on the same"
            )

    def objective(self, inner: Objective) -> Objective:
        return DistillationLoss(inner, self.teacher, self.temperature, self.weight) if self.weight else inner

    def hooks(self) -> Sequence[Hook]:
        return (KeepTeacher(self.checkpoint, self.teacher),)


class DistillationLoss:
    """Adds the divergence from ``teacher`` to the ``inner`` losses, on the images that one looks at."""

    def __init__(self, inner: Objective, teacher: nn.Module, temperature: float, weight: float):
        self.inner, self.teacher = inner, teacher
        self.temperature, self.weight = temperature, weight

    def losses(self, run: Training, batch: Batch) -> Mapping[str, Tensor]:
        heard = _Heard(run)
        own = self.inner.losses(heard, batch)
        distances = []
        for seen, outputs in heard.passes:
            with torch.no_grad():
                wanted = self.teacher(seen)
            distances.append(divergence(wanted, outputs, self.temperature))
        losses = {name: (1 - self.weight) * loss for name, loss in own.items()}
        return {**losses, "distillation": self.weight * torch.stack(distances).mean()}


def divergence(wanted: Tensor, outputs: Tensor, temperature: float) -> Tensor:
    """Return T^2 KL of softened logits, the mean over images.

    Args:
        wanted: the teacher's logits, shape (B, classes).
        outputs: the student's, (B, classes); or of M students, (M, B, classes), whose divergences are added.
    """
    soft, own = (F.log_softmax(logits.float() / temperature, dim=-1) for logits in (wanted, outputs))
    each = F.kl_div(own, soft.expand_as(own), reduction="none", log_target=True).sum(-1)
    return temperature**2 * each.mean(-1).sum()


class KeepTeacher(Hook):
    """Moves the teacher to the student's device, and lets no resumed run learn from another one."""

    def __init__(self, checkpoint: Checkpoint, teacher: nn.Module):
        self.checkpoint, self.teacher = checkpoint, teacher

    def on_train_begin(self, run: Training) -> None:
        self.teacher.to(run.device).eval()

    def state_dict(self) -> dict[str, Tensor]:
        return {"sha256": torch.tensor(list(bytes.fromhex(self.checkpoint.sha256)), dtype=torch.uint8)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        if not torch.equal(state["sha256"].cpu(), self.state_dict()["sha256"]):
            raise CheckpointError(
                f"the teacher {self.checkpoint.path} is not the one that this run began with; bring that one "
                "back, or start again in another --out"
            )


class _Heard:
    """The run as the inner objective sees it; keeps what went into the model and what came out."""

    def __init__(self, run: Training):
        self._run = run
        self.passes: list[tuple[Tensor, Tensor]] = []

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = self._run.forward(inputs)
        self.passes.append((inputs, outputs))
        return outputs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)
