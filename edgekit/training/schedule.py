"""The learning rate as a pure function of the step, so that a resumed run needs no scheduler state."""

from __future__ import annotations

import math


def learning_rate(step: int, *, steps: int, warmup_steps: int, peak: float) -> float:
    """Return the learning rate of ``step``: linear warm-up to ``peak``, then half a cosine towards 0.

    Args:
        step: counted from 0, below ``steps``.
        steps: of the whole run.
        warmup_steps: the rate reaches ``peak`` at the last of them.
        peak: the highest rate.

    Example:
        >>> [learning_rate(s, steps=4, warmup_steps=2, peak=1.0) for s in range(4)]
        [0.5, 1.0, 1.0, 0.5]
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup_steps) / (steps - warmup_steps)))
