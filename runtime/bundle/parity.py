"""How far an exported file is from the eager model: what the manifest says of each output."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ChannelParity:
    """The same as ``OutputParity`` for channels of one scale, where an output mixes unlike ones."""

    channels: str
    max_abs: float
    sqnr_db: float | None
    tolerance: float

    def __post_init__(self) -> None:
        _check_finite(self, self.max_abs, self.tolerance, self.sqnr_db)


@dataclass(frozen=True)
class OutputParity:
    """How far one output of the exported file is from the eager model's.

    Attributes:
        sqnr_db: ``None`` when the outputs are equal bit by bit: JSON has no infinity.
        cosine: ``None`` when either side is all zeros.
        top1_agreement: share of frames with the same best class, of a row of scores.
        pixel_agreement: share of pixels with the same best channel, of a map of shape (1, C, H, W).
        equal_share: of integers and booleans, those that are equal.
        channels: groups of unlike scales, see ``ChannelParity``.
    """

    name: str
    max_abs: float
    sqnr_db: float | None
    tolerance: float
    cosine: float | None = None
    top1_agreement: float | None = None
    pixel_agreement: float | None = None
    equal_share: float | None = None
    channels: tuple[ChannelParity, ...] = ()

    def __post_init__(self) -> None:
        _check_finite(self, self.max_abs, self.tolerance, self.sqnr_db, self.cosine)


@dataclass(frozen=True)
class Parity:
    """Difference between the exported file and the eager model on real inputs.

    The figures are those of the output that is worst against its tolerance; ``outputs`` has them
    for each output, and is empty in bundles of older versions.
    ``sqnr_db`` is ``None`` when the outputs are equal bit by bit: JSON has no infinity.
    """

    max_abs: float
    sqnr_db: float | None
    tolerance: float
    n_inputs: int
    inputs: str
    top1_agreement: float | None = None
    outputs: tuple[OutputParity, ...] = ()
    pixel_agreement: float | None = None
    equal_share: float | None = None

    def __post_init__(self) -> None:
        _check_finite(self, self.max_abs, self.tolerance, self.sqnr_db)


def _check_finite(parity: Parity | OutputParity | ChannelParity, *figures: float | None) -> None:
    if not all(math.isfinite(figure) for figure in figures if figure is not None):
        raise ValueError(f"figures of a parity must be finite, got {parity}; sqnr_db=None: equal outputs")
