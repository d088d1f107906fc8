"""Channel plans: which output channels of which convolution go, or went, and how many may."""

from __future__ import annotations

ChannelPlan = dict[str, tuple[int, ...]]
"""Output channels that were removed: name of the convolution -> their indices in the unpruned model."""


def removable_channels(channels: int, rate: float, *, round_to: int = 8) -> int:
    """Return how many of ``channels`` to remove: at most ``int(channels * rate)``.

    What is kept is rounded up to a multiple of ``round_to`` and is never less than that: kernels
    work on tiles of 8 channels, and a part of a tile costs as much as a whole one.

    Example:
        >>> [removable_channels(n, 0.3) for n in (8, 48, 96)]
        [0, 8, 24]
    """
    kept = channels - int(channels * rate + 1e-9)  # 7 of 49 are 7, whatever 7 / 49 * 49 is
    kept = max(round_to, -(-kept // round_to) * round_to)
    return max(0, channels - kept)


def compose_plans(first: ChannelPlan, second: ChannelPlan) -> ChannelPlan:
    """Return the plan that does what ``first`` and then ``second`` do.

    Indices of ``second`` count the channels that ``first`` left; those of the result count the
    channels of the unpruned model.
    """
    merged = dict(first)
    for name, later in second.items():
        gone = set(first.get(name, ()))
        left = [i for i in range(len(gone) + max(later, default=-1) + 1) if i not in gone]
        merged[name] = tuple(sorted(gone | {left[i] for i in later}))
    return merged
