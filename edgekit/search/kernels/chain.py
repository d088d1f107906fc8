"""A chain of kernels as plain data: each takes what the one before it left in the cache, as in a network."""

from __future__ import annotations

from dataclasses import dataclass

# Kinds of steps on a map, by the size that they leave; those on a vector.
SHAPED = ("conv", "depthwise", "residual", "dynamic_conv")  # they have a window, a stride and an activation
POOLS = ("max_pool", "avg_pool")
UNARY = (
    *("relu", "relu6", "hardswish", "hardsigmoid", "sigmoid", "tanh", "silu", "gelu", "leaky_relu", "elu"),
    "exp",
)
BINARY = ("add", "sub", "mul", "div", "maximum", "minimum")
SAME = (
    *("squeeze_excite", "dynamic_relu", "selective_kernel", "concat", "slice", "softmax"),
    *("attention", "layer_norm", "sqrt", "gather"),
)
ENDS = ("global_pool",)
ON_VECTORS = ("linear", "linear_softmax")
STEPS = (*SHAPED, *POOLS, *UNARY, *BINARY, *SAME, "pad", "upsample", "transposed_conv", *ENDS, *ON_VECTORS)
# A ReLU joins the op before it, and a number for each channel its weights, unless one of these lies between.
APART = ("hardswish", "sigmoid", "tanh", "gelu", "leaky_relu", *POOLS, "upsample", "slice", "softmax")
LONE = ("relu", "relu6", "add", "sub", "mul")  # kernels of their own behind one of APART alone
ACTIVATIONS = ("none", "relu", "relu6", "hardswish")


# Ops that an engine's file has for a step, where they are not one; a hard swish is one more.
_KERNELS = {
    "residual": 2, "dynamic_conv": 28, "max_pool": 2, "silu": 2, "div": 3, "elu": 6, "squeeze_excite": 5,
    "dynamic_relu": 19, "selective_kernel": 11, "concat": 2, "slice": 3, "softmax": 3, "attention": 18,
    "layer_norm": 14, "sqrt": 2, "gather": 5, "linear_softmax": 2,
}  # fmt: skip


def kernels_of(kind: str) -> int:
    """Return about how many ops a step of this kind is in an engine's file."""
    return _KERNELS.get(kind, 1)


@dataclass(frozen=True)
class Map:
    """What a step takes: channels, and the side of a square map; 0: a vector."""

    channels: int
    side: int

    @property
    def elements(self) -> int:
        """Numbers in it."""
        return self.channels * max(1, self.side) ** 2


@dataclass(frozen=True)
class Step:
    """One or a few kernels in a row.

    Attributes:
        kind: one of ``STEPS``.
        channels: that it leaves; only of those that change them.
        window, stride: of convolutions and pools.
        act: one of ``ACTIVATIONS``, after a convolution or a linear layer.
    """

    kind: str
    channels: int = 0
    window: int = 1
    stride: int = 1
    act: str = "none"

    def out(self, taken: Map) -> Map:
        """Return what it leaves of ``taken``."""
        if self.kind == "global_pool":
            return Map(taken.channels, 0)
        side = -(-taken.side // self.stride)
        if self.kind in POOLS and (self.kind, self.window) != ("max_pool", 3):  # that one is padded
            side = (taken.side - self.window) // self.stride + 1
        if self.kind in ("upsample", "transposed_conv"):
            side = 2 * taken.side
        if self.kind == "pad":
            return Map(taken.channels, taken.side + 1)
        if self.kind == "concat":
            return Map(2 * taken.channels, side)
        changes = self.kind in ("conv", "dynamic_conv", "transposed_conv", *ON_VECTORS)
        return Map(self.channels if changes else taken.channels, side)

    @property
    def kernels(self) -> int:
        """About how many ops it is in an engine's file."""
        return kernels_of(self.kind) + (self.act == "hardswish")

    def macs(self, taken: Map) -> int:
        """Return about how many multiply-accumulates it takes."""
        left = self.out(taken)
        per_output = self.window**2 * (taken.channels if self.kind not in ("depthwise", *POOLS) else 1)
        if self.kind in ("conv", "residual", "dynamic_conv", *ON_VECTORS, "depthwise", *POOLS):
            return left.elements * per_output
        if self.kind == "transposed_conv":
            return taken.elements * self.window**2 * left.channels
        if self.kind == "attention":
            return 2 * taken.side**4 * taken.channels + 4 * taken.side**2 * taken.channels**2
        if self.kind == "selective_kernel":
            return 18 * taken.elements * max(1, taken.channels // 32)
        return taken.elements

    def weights(self, taken: Map) -> int:
        """Return about how many weights it holds."""
        if self.kind == "depthwise":
            return taken.channels * self.window**2
        if self.kind in ("conv", "residual", "dynamic_conv", "transposed_conv", *ON_VECTORS):
            kernels = 4 if self.kind == "dynamic_conv" else 1
            return kernels * taken.channels * self.out(taken).channels * self.window**2
        return taken.channels**2 if self.kind in ("attention", "squeeze_excite", "dynamic_relu") else 0


@dataclass(frozen=True)
class Chain:
    """Steps in a row, and what the first one takes."""

    start: Map
    steps: tuple[Step, ...]

    @property
    def kernels(self) -> int:
        """About how many ops it is in an engine's file; two bring its map into order."""
        return 2 + sum(step.kernels for step in self.steps)

    @property
    def weights(self) -> int:
        """About how many weights it holds."""
        return sum(map(Step.weights, self.steps, self.maps()))

    def maps(self) -> list[Map]:
        """Return what each step takes, and what the last one leaves."""
        maps = [self.start]
        for step in self.steps:
            maps.append(step.out(maps[-1]))
        return maps
