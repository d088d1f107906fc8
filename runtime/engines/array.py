"""A tensor without numpy: element type, shape and raw bytes. So it travels, and so a small board keeps it."""

from __future__ import annotations

import math
import random
import statistics
import struct
from array import array as machine_array
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from runtime.bundle import TensorSpec
from runtime.bundle.tensors import MOST_AXES
from runtime.extras import require

if TYPE_CHECKING:
    import numpy as np

ITEM_BYTES = {"bool": 1, "float16": 2, "float32": 4, "float64": 8} | {
    f"{sign}int{8 * size}": size for sign in ("", "u") for size in (1, 2, 4, 8)
}
_FLOATS = {"float16": "e", "float32": "f", "float64": "d"}  # as the module struct calls them
_LEVELS = 1 << 12
Tensor: TypeAlias = "np.ndarray | Array"


class Array(msgspec.Struct, frozen=True):
    """A tensor; ``data`` has the machine's byte order, the last axis running fastest."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @staticmethod
    def of(values: Tensor) -> Array:
        """Pack ``values``."""
        if isinstance(values, Array):
            return values
        np = require("numpy", extra="images")
        whole = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        return Array(whole.dtype.name, values.shape, whole.tobytes())

    def numpy(self) -> np.ndarray:
        """Unpack; the result owns its memory.

        Raises:
            MissingExtra: numpy is not installed.
        """
        np = require("numpy", extra="images")
        return np.frombuffer(self.data, dtype=self.dtype).reshape(self.shape).copy()

    @property
    def is_whole(self) -> bool:
        """Whether there are as many bytes as type and shape ask for."""
        is_shape = len(self.shape) <= MOST_AXES and all(side >= 0 for side in self.shape)
        return (
            is_shape and self.dtype in ITEM_BYTES and len(self.data) == size_bytes_of(self.dtype, self.shape)
        )

    def narrowed(self) -> Array:
        """Return 64-bit integers as 32-bit ones, or unchanged where one of them does not fit."""
        try:
            narrow = machine_array("i", memoryview(self.data).cast("q"))
        except OverflowError:
            return self
        return Array("int32", self.shape, narrow.tobytes())


def size_bytes_of(dtype: str, shape: Sequence[int]) -> int:
    """Return the size of a tensor; ``dtype`` is one that has numbers."""
    return math.prod(shape) * ITEM_BYTES[dtype]


def random_inputs(specs: Sequence[TensorSpec], seed: int = 0) -> list[Array]:
    """Return inputs that fit ``specs``: normal floats, bytes over their whole range, other integers 0.

    Integers are most often indices, of which only 0 is sure to be inside the table. Floats take 4096
    values, the quantiles of the normal distribution: a slow board makes a frame of them at once.

    Raises:
        ValueError: an input is of a type without numbers, such as text.
    """
    source = random.Random(seed)
    return [Array(spec.dtype, spec.shape, _random_bytes(spec, source)) for spec in specs]


def _random_bytes(spec: TensorSpec, source: random.Random) -> bytes:
    count = math.prod(spec.shape)
    if spec.dtype in ("uint8", "int8"):
        return source.randbytes(count)
    if spec.dtype in _FLOATS:
        quantiles = _quantiles()
        draws = memoryview(source.randbytes(2 * count)).cast("H")
        return struct.pack(f"{count}{_FLOATS[spec.dtype]}", *(quantiles[draw % _LEVELS] for draw in draws))
    if spec.dtype not in ITEM_BYTES:
        raise ValueError(
            f"input {spec.name!r} is {spec.dtype}, which cannot be made up; choose one of "
            f"{', '.join(ITEM_BYTES)}"
        )
    return bytes(size_bytes_of(spec.dtype, spec.shape))


@cache
def _quantiles() -> list[float]:
    normal = statistics.NormalDist()
    return [normal.inv_cdf((level + 0.5) / _LEVELS) for level in range(_LEVELS)]
