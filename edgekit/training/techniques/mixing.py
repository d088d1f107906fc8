"""Mixup and CutMix: each image of a batch is joined with another one, and so are their labels.

Papers: Zhang et al., "mixup: Beyond Empirical Risk Minimization", https://arxiv.org/abs/1710.09412,
x = l * x_i + (1 - l) * x_j; Yun et al., "CutMix", https://arxiv.org/abs/1905.04899, equations 1 and 2:
a box of x_j, its sides sqrt(1 - l) of the image's, is pasted into x_i. As in the papers' code one l
is drawn per batch from Beta(alpha, alpha), and CutMix's labels count the pixels that were pasted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edgekit.tasks import Batch
from edgekit.training.hooks import Training
from edgekit.training.technique import Objective, Technique, register_technique


class _Mixing(Technique):
    """Joins images and labels before the loss is taken.

    Args:
        alpha: of Beta(alpha, alpha); small values leave most images nearly alone, 0 all of them.

    Raises:
        ValueError: ``alpha`` is negative.
    """

    def __init__(self, alpha: float = 1.0):
        if not 0 <= alpha < float("inf"):
            raise ValueError(f"alpha is {alpha}; it must be 0 or more")
        self.alpha = alpha

    def objective(self, inner: Objective) -> Objective:
        return _MixedLoss(inner, self) if self.alpha else inner

    def mix(self, inputs: Tensor, others: Tensor, share: float, rng: np.random.Generator) -> float:
        """Join ``others`` into ``inputs``, in place, and return the share of ``inputs`` that is left."""
        raise NotImplementedError


@register_technique("mixup")
class Mixup(_Mixing):
    """Adds images, weighed."""

    def __init__(self, alpha: float = 0.2):
        super().__init__(alpha)

    def mix(self, inputs: Tensor, others: Tensor, share: float, rng: np.random.Generator) -> float:
        inputs.lerp_(others, 1 - share)
        return share


@register_technique("cutmix")
class CutMix(_Mixing):
    """Pastes a box of another image."""

    def mix(self, inputs: Tensor, others: Tensor, share: float, rng: np.random.Generator) -> float:
        H, W = inputs.shape[2:]
        height, width = (round(side * (1 - share) ** 0.5) for side in (H, W))
        row, column = rng.integers(H), rng.integers(W)
        rows = slice(max(0, row - height // 2), min(H, row - height // 2 + height))
        columns = slice(max(0, column - width // 2), min(W, column - width // 2 + width))
        inputs[:, :, rows, columns] = others[:, :, rows, columns]
        return 1 - (rows.stop - rows.start) * (columns.stop - columns.start) / (H * W)


class _MixedLoss:
    """The inner loss of joined images and of labels as shares of classes, shape (B, classes)."""

    def __init__(self, inner: Objective, mixing: _Mixing):
        self.inner, self.mixing = inner, mixing

    def losses(self, run: Training, batch: Batch) -> Mapping[str, Tensor]:
        inputs, targets = batch
        # The labels tell the batches of an accumulated step, and the processes of a DDP run, apart.
        rng = np.random.default_rng((run.recipe.seed, run.step, *targets.flatten().long().tolist()))
        order = torch.from_numpy(rng.permutation(len(inputs))).to(inputs.device)
        mixed = inputs.clone()
        share = self.mixing.mix(mixed, inputs[order], rng.beta(self.mixing.alpha, self.mixing.alpha), rng)
        if targets.ndim == 1:
            targets = F.one_hot(targets, len(run.dataset.labels)).to(inputs.dtype)
        return self.inner.losses(run, Batch(mixed, torch.lerp(targets[order], targets, share)))
