"""The score of a network on a split."""

from __future__ import annotations

import torch
from torch import nn

from edgekit.data import Split
from edgekit.training.layout import lay_out
from edgekit.training.loader import batches_of
from edgekit.training.task import Classification, Task

_BATCH = 256


def evaluate(model: nn.Module, split: Split, *, task: Task | None = None) -> float:
    """Return the mean score of ``model`` over ``split``: top-1 accuracy in [0, 1] unless ``task`` says else.

    The model runs where its weights are, in eval mode, and is left in the mode it was in.

    Example:
        >>> evaluate(model, digits.test)   # doctest: +SKIP
        0.98
    """
    task = task or Classification()
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total = 0.0
    with torch.inference_mode():
        for inputs, targets in batches_of(split, _BATCH):
            inputs = lay_out(inputs.to(device), torch.contiguous_format)
            total += float(task.score(model(inputs), targets.to(device)))
    model.train(was_training)
    return total / len(split)
