"""How a quantised variant came to be."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class IoScale:
    """What the int8 values ``q`` of an input or output mean: ``(q - zero_point) * step``."""

    step: float
    zero_point: int

    def __post_init__(self) -> None:
        if not (0 < self.step < math.inf and -128 <= self.zero_point <= 127):
            raise ValueError(f"need a step above 0 and a zero point in [-128, 127], got {self}")


@dataclass(frozen=True)
class Quantization:
    """How a variant was quantised, and what that cost.

    Attributes:
        kept_float: paths of the modules that stay float.
        heads: layers with int8 weights but float scores.
        calibration, n_calibration: what showed the ranges of activations, and how many frames.
        accuracy_fp32, accuracy: score before and after on ``n_validation`` inputs, by ``metric``: of a
            classifier the share of right labels.
        int8_share: of the multiply-accumulates of layers with weights, that of layers whose weights are
            int8 in the file; ``None`` in bundles of older versions.
        float_layers: the other layers, as the file has them.
        latency_ratio: latency of a frame to that of the float file, on the machine that exported both: a
            hint, see ``bench``; ``None`` as above.
        inputs, outputs: of a file that takes and gives int8; empty when it takes and gives float.
    """

    kept_float: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    calibration: str | None = None
    n_calibration: int = 0
    accuracy_fp32: float | None = None
    accuracy: float | None = None
    metric: str = "top1"
    n_validation: int = 0
    inputs: tuple[IoScale, ...] = ()
    outputs: tuple[IoScale, ...] = ()
    int8_share: float | None = None
    float_layers: tuple[str, ...] = ()
    latency_ratio: float | None = None
