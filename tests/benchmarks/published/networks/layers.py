"""A network as layers: their sizes are followed, their costs counted, no weights needed.

ReLU-like clamps and batch norm cost nothing beside the layer before them, as engines fuse them; other
activations are passes over the map. Bytes are those of fp32 until ``Layers.workload`` scales them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from runtime.bundle.workload import Op, Workload

_FP32_BYTES = 4
_BYTES = {"fp32": 4, "fp16": 2, "int8": 1}
# Passes over the map of an activation that no layer takes in: hard-swish one, swish sigmoid and product.
_PASSES = {None: 0, "relu": 0, "relu6": 0, "hswish": 1, "swish": 2, "sigmoid": 1, "leaky": 1, "mish": 3}


class Layers:
    """Builds a network layer by layer; ``c``, ``h``, ``w`` are the sizes of the map it stands at.

    Example:
        >>> net = Layers(224).conv(32, 3, 2, act="relu").pool(112).linear(10)
        >>> net.workload().macs
        10839056
    """

    def __init__(self, size: int, channels: int = 3):
        self.c, self.h, self.w = channels, size, size
        self.ops: list[Op] = []

    def conv(
        self,
        out: int,
        kernel: int | tuple[int, int] = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        act: str | None = None,
        padding: str = "same",
    ) -> Layers:
        """Append a convolution; ``groups`` equal to the channels makes it depthwise."""
        kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
        read = self._values
        self.h, self.w = (_after(n, k, stride, padding) for n, k in ((self.h, kh), (self.w, kw)))
        per_group = self.c // groups
        kind = "depthwise_conv2d" if groups > 1 and groups == self.c else "conv2d"
        weights = kh * kw * per_group * out
        self.c = out
        self._op(kind, self.h * self.w * weights, read + weights, (out, per_group, kh * kw))
        return self.act(act)

    def depthwise(self, kernel: int, stride: int = 1, act: str | None = None) -> Layers:
        """Append a depthwise convolution."""
        return self.conv(self.c, kernel, stride, groups=self.c, act=act)

    def linear(self, out: int) -> Layers:
        """Append a fully connected layer over all that is there."""
        width = self._values
        self.c, self.h, self.w = out, 1, 1
        self._op("linear", width * out, width + width * out, (out, width, 1))
        return self

    def pool(self, kernel: int, stride: int = 1, padding: str = "valid") -> Layers:
        """Append a pooling window."""
        read = self._values
        self.h, self.w = (_after(n, min(kernel, n), stride, padding) for n in (self.h, self.w))
        self._op("pool", self._values * kernel * kernel, read)
        return self

    def global_pool(self) -> Layers:
        """Append a mean over the whole map."""
        return self.pool(max(self.h, self.w))

    def act(self, name: str | None) -> Layers:
        """Append an activation; those that a layer takes in cost nothing."""
        for _ in range(_PASSES[name]):
            self._op("elementwise", self._values, self._values)
        return self

    def add(self) -> Layers:
        """Append a sum of two maps of this size."""
        self._op("elementwise", self._values, 2 * self._values)
        return self

    def copy(self) -> Layers:
        """Append a pass that only moves the map: a concatenation, a shuffle, an upsampling."""
        self._op("copy", 0, self._values)
        return self

    def softmax(self) -> Layers:
        self._op("softmax", self._values, self._values)
        return self

    def squeeze_excite(self, width: int, act: str = "relu", gate: str = "sigmoid") -> Layers:
        """Append a gate per channel from the mean of the map (Hu et al., https://arxiv.org/abs/1709.01507)."""
        c, h, w = self.c, self.h, self.w
        self.global_pool().conv(width, act=act).conv(c, act=gate)
        self.h, self.w = h, w
        self._op("elementwise", self._values, self._values + c)
        return self

    def residual(self, body: Callable[[Layers], object]) -> Layers:
        """Append ``body`` and a sum with what came in; no sum where the sizes changed."""
        before = self.size
        body(self)
        return self.add() if self.size == before else self

    def branches(self, *bodies: Callable[[Layers], object], concat: bool = True) -> Layers:
        """Append paths that all start here; their channels are concatenated or kept from the last."""
        start, channels = self.size, 0
        for body in bodies:
            self.size = start
            body(self)
            channels += self.c
        if concat:
            self.c = channels
            self.copy()
        return self

    def aside(self, body: Callable[[Layers], object]) -> Layers:
        """Append ``body`` and go on from here, as for the outputs of a detector."""
        before = self.size
        body(self)
        self.size = before
        return self

    @property
    def size(self) -> tuple[int, int, int]:
        return self.c, self.h, self.w

    @size.setter
    def size(self, value: tuple[int, int, int]) -> None:
        self.c, self.h, self.w = value

    def workload(self, precision: str = "fp32") -> Workload:
        """Return what one frame costs, bytes those of ``precision``."""
        size = _BYTES[precision]
        return Workload(
            tuple(
                replace(
                    op,
                    bytes_read=op.bytes_read * size // _FP32_BYTES,
                    bytes_written=op.bytes_written * size // _FP32_BYTES,
                )
                for op in self.ops
            )
        )

    @property
    def _values(self) -> int:
        return self.c * self.h * self.w

    def _op(self, kind: str, macs: int, values_read: int, sizes: tuple[int, int, int] | None = None) -> None:
        out, inside, window = sizes or (None, None, None)
        written = _FP32_BYTES * self._values
        name = f"{len(self.ops)}.{kind}"
        self.ops.append(Op(name, kind, macs, _FP32_BYTES * values_read, written, out, inside, window))


def _after(size: int, kernel: int, stride: int, padding: str) -> int:
    return math.ceil(size / stride) if padding == "same" else (size - kernel) // stride + 1
