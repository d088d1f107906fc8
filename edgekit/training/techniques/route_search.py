"""The greedy search of RCO: the next anchor is the furthest that is not too hard for the student.

Paper: Jin et al., "Knowledge Distillation via Route Constrained Optimization",
https://arxiv.org/abs/1904.09149. A student s that was taught by anchor i is as far from anchor j as
KL(teacher_j || s); how much harder j is than i is the ratio of both. The next anchor is the furthest
behind i with KL(teacher_i || s) / KL(teacher_j || s) >= threshold; if there is none, the one behind i.

The text that we could read leaves the ratio's direction and the images open: ours are training images
as they are, not set apart, since a student of few images would miss them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from edgekit.training.hooks import Training
from edgekit.training.techniques.distillation import divergence

_IMAGES = 512


def next_anchor(
    run: Training,
    teacher: nn.Module,
    states: Sequence[Mapping[str, Tensor]],
    now: int,
    temperature: float,
    threshold: float,
) -> int:
    """Return the place in ``states`` of the next anchor; the last one is followed by itself.

    Args:
        teacher: a network for the states; which one it holds afterwards is not said.
        now: place of the anchor that taught last.
    """
    split, student = run.dataset.train, run.trained()
    inputs = torch.from_numpy(split.batch(np.arange(min(_IMAGES, len(split))))[0]).to(run.device)
    was_training = student.training
    student.eval()
    outputs = student(inputs)
    student.train(was_training)
    distances = []
    for state in states[now:]:
        teacher.load_state_dict(dict(state))
        distances.append(divergence(teacher(inputs), outputs, temperature).item())
    return now + furthest(distances, threshold)


def furthest(distances: Sequence[float], threshold: float) -> int:
    """Return the place of the next anchor behind the first one, whose students' distances these are.

    Example:
        >>> furthest([1.0, 1.1, 1.2, 2.0], 0.8), furthest([1.0, 3.0, 4.0], 0.8), furthest([1.0], 0.8)
        (2, 1, 0)
    """
    easy = [place for place, d in enumerate(distances) if distances[0] >= threshold * d]
    return max(easy[-1], min(1, len(distances) - 1))
