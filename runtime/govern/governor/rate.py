"""A limit on how often something may happen: a token bucket. Pure arithmetic."""

from __future__ import annotations


class RateLimit:
    """Lets ``burst`` through at once, and ``per_s`` in the long run.

    Example:
        >>> limit = RateLimit(per_s=10, burst=2)
        >>> [limit.takes(0.0), limit.takes(0.0), limit.takes(0.0), limit.takes(0.1)]
        [True, True, False, True]
    """

    def __init__(self, per_s: float, burst: float):
        self.per_s, self.burst = per_s, burst
        self._left = burst
        self._last_s: float | None = None

    def takes(self, now_s: float) -> bool:
        """Return whether one more may happen now."""
        if self._last_s is not None:
            self._left = min(self.burst, self._left + (now_s - self._last_s) * self.per_s)
        self._last_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
