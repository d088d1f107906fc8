"""How a quantised variant came to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantization:
    """How a variant was quantised, and what that cost.

    Attributes:
        kept_float: paths of the modules that stay float.
        heads: layers with int8 weights but float scores.
        calibration, n_calibration: what showed the ranges of activations, and how many frames.
        accuracy_fp32, accuracy: share of right labels before and after, on ``n_validation`` inputs.
    """

    kept_float: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    calibration: str | None = None
    n_calibration: int = 0
    accuracy_fp32: float | None = None
    accuracy: float | None = None
    n_validation: int = 0
