"""Intervals of medians and of their ratios, honest about samples that are not independent.

Frames of one block share the clock, the caches and whoever else ran, so they say little about
the next block. Where there are several blocks, the spread between them is what counts.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_Z = 1.959964  # 97.5th percentile of the normal distribution
# 97.5th percentile of Student's t for 1 to 30 degrees of freedom.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; ``low`` and ``high`` have the unit of what they enclose."""

    low: float
    high: float

    @property
    def half_share(self) -> float:
        """Half its width as a share of its middle: 0.02 is +-2 %."""
        return (self.high - self.low) / (self.high + self.low)


def t_quantile(freedom: float) -> float:
    """Return the 97.5th percentile of Student's t, for at least 1 degree of freedom."""
    if freedom >= len(_T):
        # Cornish-Fisher, first term: within 0.001 from 30 degrees of freedom on.
        return _Z + (_Z**3 + _Z) / (4 * freedom)
    place = max(0.0, freedom - 1)
    below = min(int(place), len(_T) - 2)
    return _T[below] + (place - below) * (_T[below + 1] - _T[below])


def order_statistics(samples: Sequence[float]) -> Interval:
    """Return the 95 % interval of the median of independent samples, whatever their distribution.

    The ranks n/2 -+ 1.96 sqrt(n)/2 enclose it (binomial; exact ranks differ by at most one and
    these are rounded outwards). Fewer than six samples cannot enclose it: all of them are taken.
    """
    ordered = sorted(map(float, samples))
    n = len(ordered)
    low = max(0, math.floor(n / 2 - _Z * math.sqrt(n) / 2) - 1)
    return Interval(ordered[low], ordered[n - 1 - low])


def median_interval(blocks: Sequence[Sequence[float]]) -> Interval:
    """Return the 95 % interval of the median latency, given the samples of each block.

    The hull of two: order statistics over all samples, and, from two blocks on, Student's t over
    the logarithms of the blocks' medians.
    """
    inner = order_statistics([sample for block in blocks for sample in block])
    if len(blocks) < 2:
        return inner
    outer = of_runs([statistics.median(block) for block in blocks])
    return Interval(min(inner.low, outer.low), max(inner.high, outer.high))


def of_runs(values: Sequence[float]) -> Interval:
    """Return the 95 % interval of what runs scatter around: Student's t over their logarithms.

    Args:
        values: one of each run, above 0; a single one is taken for all that is known.
    """
    if len(values) < 2:
        return Interval(values[0], values[0])
    return _ratio(*_middle_and_half([math.log(value) for value in values]))[1]


def paired_ratio(a_medians: Sequence[float], b_medians: Sequence[float]) -> tuple[float, Interval]:
    """Return b / a and its 95 % interval, from medians of blocks that ran side by side.

    Raises:
        ValueError: the numbers of blocks differ, or there are fewer than two.
    """
    if len(a_medians) != len(b_medians) or len(a_medians) < 2:
        raise ValueError(f"{len(a_medians)} and {len(b_medians)} blocks; give pairs, at least two of them")
    logs = [math.log(b) - math.log(a) for a, b in zip(a_medians, b_medians, strict=True)]
    return _ratio(*_middle_and_half(logs))


def unpaired_ratio(a_medians: Sequence[float], b_medians: Sequence[float]) -> tuple[float, Interval]:
    """Return b / a and its 95 % interval, from medians of blocks that ran apart (Welch).

    Raises:
        ValueError: either side has fewer than two blocks.
    """
    if min(len(a_medians), len(b_medians)) < 2:
        raise ValueError(f"{len(a_medians)} and {len(b_medians)} blocks; give at least two of each")
    a, b = [math.log(median) for median in a_medians], [math.log(median) for median in b_medians]
    a_part, b_part = statistics.variance(a) / len(a), statistics.variance(b) / len(b)
    both = a_part + b_part
    half = 0.0
    if both > 0:
        freedom = both**2 / (a_part**2 / (len(a) - 1) + b_part**2 / (len(b) - 1))
        half = t_quantile(max(1.0, freedom)) * math.sqrt(both)
    return _ratio(statistics.fmean(b) - statistics.fmean(a), half)


def _middle_and_half(logs: Sequence[float]) -> tuple[float, float]:
    half = t_quantile(len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    return statistics.fmean(logs), half


def _ratio(middle: float, half: float) -> tuple[float, Interval]:
    return math.exp(middle), Interval(math.exp(middle - half), math.exp(middle + half))
