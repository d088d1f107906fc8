"""What a predictor of single ops gets to know of each, and what was measured of them."""

from __future__ import annotations

import math

import numpy as np

from runtime.bundle.workload import OP_KINDS, Op, Workload
from runtime.measure.profiling.profile import Profile

OP_FEATURE_NAMES = (
    "kind",  # place in OP_KINDS
    "log_macs",
    "log_bytes_read",
    "log_bytes_written",
    "log_intensity",  # macs per byte moved
    "log_positions",  # outputs per channel
    "log_channels_out",
    "log_channels_in",
    "log_window",
    "log_reduction",  # products summed into one output
    "padding_16",  # channels in full vectors of 16, over channels: kernels compute whole vectors
    "padding_32",
    "log_frame_weights",  # of linear layers: a small frame leaves their weights in the cache
)


def op_features(workload: Workload) -> np.ndarray:
    """Return the features of each op of one frame, shape (n_ops, len(OP_FEATURE_NAMES)), float64.

    Example:
        >>> op = Op("stem", "conv2d", 864, 1200, 128, channels_out=8, channels_in=3, window=9)
        >>> op_features(Workload((op,)))[0, 8].round(2)    # log(1 + 9)
        np.float64(2.3)
    """
    frame_weights = sum(math.prod(_weight_shape(op)) for op in workload.ops)
    rows = [_features(op, frame_weights) for op in workload.ops]
    return np.array(rows, dtype=np.float64).reshape(-1, len(OP_FEATURE_NAMES))


def op_times_ms(profile: Profile, workload: Workload) -> np.ndarray:
    """Return what each op of the workload took, shape (n_ops,): 0 for one that was fused into another.

    Args:
        workload: the one the profile was made with.
    """
    times_ms = np.zeros(len(workload.ops))
    for op in profile.ops:
        if op.place is not None:
            times_ms[op.place] += op.mean_ms
    return times_ms


def _weight_shape(op: Op) -> tuple[int, int, int]:
    return op.channels_out or 0, op.channels_in or 0, op.window or 0


def _features(op: Op, frame_weights: int) -> list[float]:
    channels_out, channels_in, window = _weight_shape(op)
    reduction = channels_in * window
    positions = op.macs / (channels_out * reduction) if channels_out and reduction else op.bytes_written / 4
    logs = (
        op.macs,
        op.bytes_read,
        op.bytes_written,
        op.macs / max(1, op.bytes_read + op.bytes_written),
        positions,
        channels_out,
        channels_in,
        window,
        reduction,
    )
    padding = [math.ceil(channels_out / n) * n / channels_out if channels_out else 1.0 for n in (16, 32)]
    context = math.log1p(frame_weights) if op.kind == "linear" else 0.0
    return [float(OP_KINDS.index(op.kind)), *(math.log1p(value) for value in logs), *padding, context]
