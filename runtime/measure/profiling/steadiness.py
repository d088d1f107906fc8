"""Which frames of a profile other work disturbed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

_STEADY = 1.25  # third quartile over first


def disturbance(*series_ms: Sequence[float]) -> list[str]:
    """Return a remark if the frames of a series differ too much to be believed."""
    for samples_ms in series_ms:
        if len(samples_ms) < 4:
            continue
        low, _, high = statistics.quantiles(samples_ms, n=4)
        if high > _STEADY * low:
            took = f"frames took {low:.3g} to {high:.3g} ms"
            return [f"{took}: other work disturbs them; try again on a quiet machine"]
    return []


def quieter(samples_ms: Sequence[float]) -> list[int]:
    """Return the places of the faster half of the samples, fastest first."""
    order = sorted(range(len(samples_ms)), key=samples_ms.__getitem__)
    return order[: (len(order) + 1) // 2]
