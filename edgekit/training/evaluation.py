"""The score of a network on a split."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from edgekit.data import Split
from edgekit.tasks import Classification, Task
from edgekit.training.layout import lay_out
from edgekit.training.loader import batches_of

_BATCH = 256


def evaluate(model: nn.Module, split: Split, *, task: Task | None = None) -> float:
    """Return the score of ``model`` on ``split``: top-1 accuracy in [0, 1] unless ``task`` says else.

    The model runs where its weights are, in eval mode, and is left in the mode it was in.

    Example:
        >>> evaluate(model, digits.test)   # doctest: +SKIP
        0.98
    """
    task = task or Classification()
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    results: list[Any] = []
    truths: list[Any] = []
    with torch.inference_mode():
        for inputs, _ in batches_of(split, _BATCH, device):
            outputs = tree_leaves(model(lay_out(inputs, torch.contiguous_format)))
            known = split.labels[len(truths) : len(truths) + _BATCH]
            results.extend(task.decode([_as_array(output) for output in outputs], known))
            truths.extend(known)
    model.train(was_training)
    return task.score(results, truths)


def _as_array(tensor: torch.Tensor) -> np.ndarray:
    return (tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy()  # NumPy has no bfloat16
