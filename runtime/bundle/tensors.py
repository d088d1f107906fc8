"""Graphs and their tensors: names, element types, static shapes, and how a photograph becomes one."""

from __future__ import annotations

from dataclasses import dataclass

MAIN_GRAPH = "forward"  # what a model's only graph is called
LAYOUTS = ("nchw", "nhwc")
MOST_AXES = 64  # numpy's limit
_MOST_SIDE = 1 << 14  # pixels; a photograph so wide takes 3 GB as floats


@dataclass(frozen=True)
class ImageSpec:
    """How a photograph becomes an input tensor: resize, centre crop, scale to [0, 1], normalise.

    Attributes:
        size: height and width of the network's input in pixels.
        resize: the shorter side is scaled to this before the crop.
        mean, std: one value per channel, on the [0, 1] scale.
        channels: 3 (RGB) or 1 (grey).
        interpolation: ``bilinear`` or ``bicubic``.
        layout: of the tensor, one of ``LAYOUTS``: channels before or after height and width.
    """

    size: int
    resize: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: int = 3
    interpolation: str = "bilinear"
    layout: str = "nchw"

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels is {self.channels}; allowed: 1 (grey), 3 (RGB)")
        if not len(self.mean) == len(self.std) == self.channels:
            raise ValueError(f"mean and std need {self.channels} values, got {self.mean} and {self.std}")
        if self.interpolation not in ("bilinear", "bicubic"):
            raise ValueError(f"interpolation is {self.interpolation!r}; allowed: bilinear, bicubic")
        if self.layout not in LAYOUTS:
            raise ValueError(f"layout is {self.layout!r}; allowed: {', '.join(LAYOUTS)}")
        if min(self.std) <= 0 or not 0 < self.size <= self.resize <= _MOST_SIDE:
            raise ValueError(f"need std > 0 and 0 < size <= resize <= {_MOST_SIDE}, got {self}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor, batch 1."""
        sides = (self.size, self.size)
        return (1, self.channels, *sides) if self.layout == "nchw" else (1, *sides, self.channels)


@dataclass(frozen=True)
class TensorSpec:
    """Name, element type and static shape of one input or output."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    image: ImageSpec | None = None

    def __post_init__(self) -> None:
        check_sides(f"shape of {self.name!r}", self.shape)


def check_sides(what: str, shape: tuple[int, ...]) -> None:
    """Refuse a shape that no tensor has.

    Raises:
        ValueError: a side below 1, or more than ``MOST_AXES`` of them.
    """
    if len(shape) > MOST_AXES:
        raise ValueError(f"{what} has {len(shape)} axes; at most {MOST_AXES} are allowed")
    if any(side < 1 for side in shape):
        raise ValueError(f"{what} is {shape}; every side must be at least 1")


@dataclass(frozen=True)
class Graph:
    """One callable of the model: its inputs and outputs, in order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
