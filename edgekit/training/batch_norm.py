"""Statistics of batch norm estimated anew: after channels were removed the old ones are of another network.

Only forward passes, no labels. Right after a cut this is worth a good part of what was lost
(1801.05134 does the same for what dropout shifts).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from edgekit.data import Split

IMAGES = 2048  # the estimates of means and variances differ by some percent from those of all images
_BATCH = 128


def reestimate_batch_norm(model: nn.Module, split: Split, *, images: int = IMAGES, seed: int = 0) -> int:
    """Replace the running statistics of ``model`` by those of ``images`` of ``split``; return how many.

    Everything else runs in eval mode, dropout included; weights, and the mode of ``model``, stay as
    they are. A network without batch norm is left alone: 0 images.

    Args:
        split: training images; taken as they are, not augmented.
        seed: which images, when the split has more.

    Example:
        >>> reestimate_batch_norm(compact, digits.train)   # doctest: +SKIP
        1438
    """
    norms = [
        layer for layer in model.modules() if isinstance(layer, _BatchNorm) and layer.track_running_stats
    ]
    if not norms:
        return 0
    chosen = np.random.default_rng(seed).permutation(len(split))[:images]
    device = next(model.parameters()).device
    with _estimating(model, norms), torch.no_grad():
        # A batch of one image or two would weigh as much as a whole one.
        for part in np.array_split(chosen, max(1, round(len(chosen) / _BATCH))):
            model(torch.from_numpy(split.batch(part)[0]).to(device))
    return len(chosen)


@contextmanager
def _estimating(model: nn.Module, norms: list[_BatchNorm]) -> Iterator[None]:
    """Let ``norms`` average what they see from now on, and nothing else train."""
    modes = {module: module.training for module in model.modules()}
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, was_training in modes.items():
            module.training = was_training
