"""Blocks of several governors, repeated in ABBA order, and what they come to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runtime.measure.interval import paired_ratio, t_quantile

OURS = "edgekit"
STEADY = "performance"  # one clock, the same frames: by how much its rows differ, nothing smaller can be told


def abba(names: Sequence[str], repeats: int) -> Iterator[str]:
    """Return the names, ``repeats`` times, every second time backwards.

    What drifts evenly falls on all alike.

    Example:
        >>> list(abba("ab", 3))
        ['a', 'b', 'b', 'a', 'a', 'b']
    """
    for number in range(repeats):
        yield from names if number % 2 == 0 else reversed(names)


def rows_of(blocks: Mapping[str, Sequence[Mapping[str, Any]]], ours: str = OURS) -> list[dict[str, Any]]:
    """Return a row per governor.

    Args:
        blocks: of each governor, in the order they ran: ``frames``, ``late``, ``energy_mj`` (of a frame's
            work, by work counted), ``timed_mj`` (by the time it took), ``idle_mw``, ``latency_ms`` and
            ``changes``.
        ours: that the others are compared with, block by block.
    """
    mine = [block["energy_mj"] for block in blocks[ours]]
    rows = []
    for name, found in blocks.items():
        energies_mj = [block["energy_mj"] for block in found]
        frames, late = (sum(block[key] for block in found) for key in ("frames", "late"))
        row: dict[str, Any] = {
            "governor": name,
            "repeats": len(found),
            "frames": frames,
            "late_pct": 100 * late / frames,
            **{key: statistics.fmean(block[key] for block in found) for key in _MEANS},
            "spread_pct": _spread_pct(energies_mj),
            "timed_spread_pct": _spread_pct([block["timed_mj"] for block in found]),
            "energy_off_pct": _off_pct(energies_mj),
            "above_pct": None,
            "above_off_pct": None,
        }
        if name != ours and len(mine) > 1:
            ratio, interval = paired_ratio(energies_mj, mine)
            row |= {"above_pct": 100 * (ratio - 1), "above_off_pct": 100 * interval.half_share * ratio}
        rows.append(row)
    return rows


_MEANS = ("energy_mj", "timed_mj", "idle_mw", "latency_ms", "changes")


def _spread_pct(values: Sequence[float]) -> float:
    return 100 * (max(values) - min(values)) / statistics.fmean(values)


def _off_pct(values: Sequence[float]) -> float | None:
    """Return half of the 95 % interval of the mean, in percent of it."""
    if len(values) < 2:
        return None
    half = t_quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return 100 * half / statistics.fmean(values)
