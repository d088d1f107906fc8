"""Latencies that fall with the clock, from measured ones that scatter. Pure arithmetic, no numpy.

A faster clock is never slower, but a bench on a busy machine may say so, and a governor would then take
the wrong clock for the fastest. Pool adjacent violators (Barlow et al., 1972) gives the falling curve next to
the logs of the latencies; here they must fall at least as ``f ** -LEAST_SLOPE``, so that none are equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

LEAST_SLOPE = 0.1  # a memory-bound network gains so little from its clock


def falling(freqs_khz: Sequence[int], latencies_ms: Sequence[float]) -> list[float]:
    """Return latencies next to ``latencies_ms`` that fall with the clock.

    Args:
        freqs_khz: ascending.

    Example:
        >>> falling([1000, 2000], [30.0, 10.0])
        [30.0, 10.0]
        >>> [round(ms, 1) for ms in falling([1000, 2000], [20.0, 22.0])]
        [21.7, 20.3]
    """
    lifted = [
        math.log(ms) + LEAST_SLOPE * math.log(khz) for khz, ms in zip(freqs_khz, latencies_ms, strict=True)
    ]
    pools: list[tuple[float, int]] = []  # sum and number of those that have become one
    for value in lifted:
        total, count = value, 1
        while pools and pools[-1][0] / pools[-1][1] < total / count:
            before_total, before_count = pools.pop()
            total, count = total + before_total, count + before_count
        pools.append((total, count))
    if len(pools) == len(lifted):
        return list(latencies_ms)
    means = [total / count for total, count in pools for _ in range(count)]
    return [math.exp(mean - LEAST_SLOPE * math.log(khz)) for khz, mean in zip(freqs_khz, means, strict=True)]
