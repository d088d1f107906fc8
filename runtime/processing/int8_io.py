"""Float frames for files that take and give int8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runtime.bundle import IoScale
from runtime.extras import require

if TYPE_CHECKING:
    import numpy as np


def to_int8(arrays: Sequence[np.ndarray], scales: Sequence[IoScale]) -> list[np.ndarray]:
    """Return the float ``arrays`` rounded to the int8 steps of ``scales``; as they are without scales."""
    if not scales:
        return list(arrays)
    np = require("numpy", extra="images")
    return [
        np.clip(np.rint(array / scale.step) + scale.zero_point, -128, 127).astype(np.int8)
        for array, scale in zip(arrays, scales, strict=True)
    ]


def to_float(arrays: Sequence[np.ndarray], scales: Sequence[IoScale]) -> list[np.ndarray]:
    """Return what the int8 ``arrays`` mean, as float32; as they are without scales."""
    if not scales:
        return list(arrays)
    np = require("numpy", extra="images")
    return [
        ((array.astype(np.float32) - scale.zero_point) * np.float32(scale.step))
        for array, scale in zip(arrays, scales, strict=True)
    ]
