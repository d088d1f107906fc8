"""A workload: what one frame costs, op by op, whichever engine runs it."""

from __future__ import annotations

from dataclasses import dataclass

OP_KINDS = (
    "conv2d",  # dense convolution with constant weights
    "depthwise_conv2d",
    "linear",  # fully connected, constant weights
    "matmul",  # product of two run-time tensors
    "pool",
    "elementwise",  # add, mul, activation: no reuse of what is read
    "softmax",
    "copy",  # reshape that moves bytes, transpose, concat, pad
    "other",
)


@dataclass(frozen=True)
class Op:
    """One operation of an exported graph.

    Attributes:
        name: module path in the source model, or the file's own name for it.
        kind: one of ``OP_KINDS``.
        macs: multiply-accumulates of one frame; element-wise work counts one per output element.
        bytes_read: bytes of activations and weights read.
        bytes_written: bytes written.
        channels_out: channels, or features, of the output of a convolution or a linear layer.
        channels_in: channels that one of them is summed over; 1 where it is depthwise.
        window: positions of the kernel. ``None``, like the channels, for other ops, and where a bundle was
            written before these were.
        has_int8_weights: of a convolution or a linear layer; ``None`` as above.
        type: what the engine's file calls the op, as in ``HARD_SWISH``; ``None``: written before this was.
    """

    name: str
    kind: str
    macs: int
    bytes_read: int
    bytes_written: int
    channels_out: int | None = None
    channels_in: int | None = None
    window: int | None = None
    has_int8_weights: bool | None = None
    type: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in OP_KINDS:
            raise ValueError(f"op kind {self.kind!r} is unknown; allowed: {', '.join(OP_KINDS)}")
        if min(self.macs, self.bytes_read, self.bytes_written) < 0:
            raise ValueError(f"op {self.name!r} has a negative cost: {self}; counts start at 0")


@dataclass(frozen=True)
class Workload:
    """All operations of one frame, in order."""

    ops: tuple[Op, ...]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame."""
        return sum(op.macs for op in self.ops)

    @property
    def bytes_moved(self) -> int:
        """Bytes read and written by one frame, counting every pass over memory."""
        return sum(op.bytes_read + op.bytes_written for op in self.ops)
