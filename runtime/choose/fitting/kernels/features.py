"""What a predictor of single ops gets to know of each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from runtime.bundle.workload import Op, Workload

# What adds up to an op's time, each per million.
OP_COSTS = (
    "macs",
    "padded_macs",  # with output channels in full vectors of 16, which kernels compute whole
    "activation_bytes",
    "weight_bytes",
    "bytes_written",
)
OP_FEATURES = (
    "log_macs",
    "log_activation_bytes",
    "log_weight_bytes",
    "log_bytes_written",
    "log_intensity",  # macs per byte moved
    "log_positions",  # outputs per channel
    "log_channels_out",
    "log_channels_in",
    "log_window",
    "log_reduction",  # products summed into one output
    "log_read_per_written",  # of a strided op; of an op of two maps, or of a map and a number per channel
    "padding_16",  # channels in full vectors of 16, over channels
    "padding_32",
)  # none of the whole frame: a few dozen graphs differ in it, so that it would stand for the graph itself
OP_COLUMNS = ("kind", *OP_COSTS, *OP_FEATURES)
_FLOAT_BYTES = 4
_PADS = ("PAD", "PADV2", "pad", "constant_pad_nd")


def kernel_kinds(workload: Workload) -> list[str]:
    """Return what is learnt apart, op by op: the type, and what else makes another kernel of it.

    That is the window of a depthwise convolution, and whether a convolution pads by itself what an op before
    it should. Other convolutions are one product of matrices, whatever their window.

    Example:
        >>> deep = Op("dw", "depthwise_conv2d", 9, 9, 9, 1, 1, 9, type="DEPTHWISE_CONV_2D")
        >>> kernel_kinds(Workload((Op("pad", "copy", 0, 9, 9, type="PAD"), deep)))
        ['PAD of convolution', 'DEPTHWISE_CONV_2D 9']
    """
    followers = (*workload.ops, None)[1:]
    return [_kind(op, next_op) for op, next_op in zip(workload.ops, followers, strict=True)]


def op_features(workload: Workload, kinds: Sequence[str]) -> np.ndarray:
    """Return the features of each op of one frame, shape (n_ops, len(OP_COLUMNS)), float64.

    Args:
        kinds: what ``kernel_kinds`` may say; the kind is the place in it.

    Raises:
        ValueError: an op of another kind.

    Example:
        >>> op = Op("stem", "conv2d", 864, 1200, 128, channels_out=8, channels_in=3, window=9)
        >>> op_features(Workload((op,)), ["conv2d"])[0, 14].round(2)    # log(1 + 9)
        np.float64(2.3)
    """
    places = {kind: place for place, kind in enumerate(kinds)}
    named = kernel_kinds(workload)
    unknown = dict.fromkeys(kind for kind in named if kind not in places)
    if unknown:
        raise ValueError(f"ops of kind {', '.join(unknown)}; known are {', '.join(kinds)}")
    rows = [[float(places[kind]), *_features(op)] for kind, op in zip(named, workload.ops, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(OP_COLUMNS))


def _kind(op: Op, next_op: Op | None) -> str:
    name = op.type or op.kind
    if name in _PADS and next_op is not None and next_op.kind in ("conv2d", "depthwise_conv2d"):
        return f"{name} of convolution"
    return f"{name} {op.window}" if op.kind == "depthwise_conv2d" else name


def _weight_shape(op: Op) -> tuple[int, int, int]:
    return op.channels_out or 0, op.channels_in or 0, op.window or 0


def _weights(op: Op) -> int:
    return math.prod(_weight_shape(op))


def _features(op: Op) -> list[float]:
    channels_out, channels_in, window = _weight_shape(op)
    reduction = channels_in * window
    weight_bytes = min(_weights(op) * _FLOAT_BYTES, op.bytes_read)
    activation_bytes = op.bytes_read - weight_bytes
    positions = op.macs / (channels_out * reduction) if channels_out and reduction else op.bytes_written / 4
    padding = [math.ceil(channels_out / n) * n / channels_out if channels_out else 1.0 for n in (16, 32)]
    costs = (op.macs, op.macs * padding[0], activation_bytes, weight_bytes, op.bytes_written)
    logs = (
        op.macs,
        activation_bytes,
        weight_bytes,
        op.bytes_written,
        op.macs / max(1, op.bytes_read + op.bytes_written),
        positions,
        channels_out,
        channels_in,
        window,
        reduction,
        activation_bytes / max(1, op.bytes_written),
    )
    return [*(cost / 1e6 for cost in costs), *map(math.log1p, logs), *padding]
