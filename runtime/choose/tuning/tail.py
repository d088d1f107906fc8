"""How long the slow frames take, by the samples of a bench: latency at a quantile."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from runtime.measure.records import Record


def at_quantile(record: Record, quantile: float) -> float:
    """Return the least sample in ms that ``quantile`` of the record's frames keep.

    Raises:
        ValueError: too few samples to tell.
    """
    if not record.is_modelled:
        _check(len(record.samples_ms), quantile, f"{record.variant} on {record.setting} has")
    return float(np.quantile(record.samples_ms, quantile, method="higher"))


def tail_ratio(records: Iterable[Record], quantile: float) -> float:
    """Return how much longer than the median of its setting a frame takes at ``quantile``, 1 or more.

    The samples of all settings are pooled, each divided by its setting's median.

    Raises:
        ValueError: too few samples to tell.
    """
    ratios = [sample_ms / record.latency_ms for record in records for sample_ms in record.samples_ms]
    _check(len(ratios), quantile, "the bench has")
    return max(1.0, float(np.quantile(ratios, quantile, method="higher")))


def _check(samples: int, quantile: float, who_has: str) -> None:
    # Of fewer samples none is expected beyond the quantile: the largest would pass for the tail.
    needed = math.ceil(1.0 / (1.0 - quantile) - 1e-9)
    if samples < needed:
        raise ValueError(
            f"{who_has} {samples} samples; {quantile:g} of frames needs at least {needed}: "
            "bench with more --runs, or ask for a lower --quantile"
        )
