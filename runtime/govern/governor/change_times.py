"""What changing clocks and cores takes on this machine, measured while it is done."""

from __future__ import annotations

import statistics
from collections import deque

from runtime.choose.decision.outlook import ChangeCost

# The median of so many, once there are as many as the first number: one that was interrupted counts for
# nothing, and a machine that has become slower is followed within some seconds.
_LEAST, _KEPT = 3, 15


class ChangeTimes:
    """Keeps how long the last changes took, by whether threads moved to another cluster.

    Example:
        >>> times = ChangeTimes()
        >>> for _ in range(3):
        ...     times.note(0.2, is_move=False)
        >>> times.read_cost()
        ChangeCost(clock_ms=0.2, cluster_ms=0.5)
    """

    def __init__(self) -> None:
        self._clock_ms: deque[float] = deque(maxlen=_KEPT)
        self._cluster_ms: deque[float] = deque(maxlen=_KEPT)

    def note(self, took_ms: float, *, is_move: bool) -> None:
        """Take note of a change."""
        (self._cluster_ms if is_move else self._clock_ms).append(took_ms)

    def read_cost(self) -> ChangeCost:
        """Return what a change costs: as measured, or as assumed until enough were."""
        assumed = ChangeCost()
        return ChangeCost(
            _typical(self._clock_ms, assumed.clock_ms), _typical(self._cluster_ms, assumed.cluster_ms)
        )


def _typical(times_ms: deque[float], assumed_ms: float) -> float:
    return statistics.median(times_ms) if len(times_ms) >= _LEAST else assumed_ms
