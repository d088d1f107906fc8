"""Channels of one output whose scales are unlike, such as boxes in pixels beside scores below 1.

A figure of the whole output tells of its largest channels only: with every score at 0 it has 63 dB.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Of neighbouring scales. What is 24 dB below the rest can be all wrong and leave the whole above 20 dB.
_UNLIKE = 16.0
_FEWEST_VALUES = 8  # of a channel in all frames: the scale of fewer is chance


def unlike_groups(values: np.ndarray) -> tuple[int, list[list[int]]]:
    """Return the axis of the most unlike scales and its channels by scale; no groups if all are alike.

    A row of scores has one value per channel and frame, and is judged as a whole.

    Args:
        values: of one output, shape (frames, 1, ...).
    """
    best: tuple[float, int, list[list[int]]] = (1.0, 0, [])
    n_frames = len(values)
    for axis in range(1, values.ndim):
        n_values = values.size // max(values.shape[axis], 1)
        if values.shape[axis] < 2 or n_values < _FEWEST_VALUES or n_values == n_frames:
            continue
        scales = _scales(np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1))
        known = [int(channel) for channel in np.argsort(scales) if scales[channel] > 0]
        if len(known) < 2:
            continue
        ratios = scales[known[1:]] / scales[known[:-1]]
        if ratios.max() > best[0]:
            cuts = np.flatnonzero(ratios >= _UNLIKE) + 1
            groups = [sorted(map(int, part)) for part in np.split(np.array(known), cuts)]
            best = (float(ratios.max()), axis, groups)
    return best[1], best[2] if best[0] >= _UNLIKE else []


def describe_channels(channels: Sequence[int], axis: int) -> str:
    """Return ``channels 0-3, 7 of axis 1``."""
    ends: list[list[int]] = []
    for channel in channels:
        if ends and channel == ends[-1][1] + 1:
            ends[-1][1] = channel
        else:
            ends.append([channel, channel])
    text = [str(low) if low == high else f"{low}-{high}" for low, high in ends]
    shown = ", ".join(text[:6]) + (", ..." if len(text) > 6 else "")
    return f"channel{'s' if len(channels) > 1 else ''} {shown} of axis {axis}"


def _scales(rows: np.ndarray) -> np.ndarray:
    """Return the root mean square of each row; 0 for those that are mostly zeros, as a ReLU leaves them."""
    finite = np.where(np.isfinite(rows), rows, 0.0).astype(np.float64)
    scales = np.sqrt(np.square(finite).mean(1))
    scales[(finite == 0).mean(1) > 0.5] = 0.0
    return scales
