"""Whether a table's promises may be acted on, judged by the frames that broke them.

The idea of ``predictors.OnlineLatency`` without scikit-learn: a conformal bound fails in a known share of
cases; where it fails so much more often that chance explains it less often than ``false_alarm``, it is not
believed any more. Frames below their bound cost no trust: they keep their deadline.
"""

from __future__ import annotations

import math
from collections import deque

# The bounds are made to hold in 90 % of frames (``ALPHA``), so some failures are no news. ``TOLERANCE``: the
# slowdown follows a device that is a little slower than its table, so a bound that is narrow by less than a
# fifth is corrected and costs no trust; a larger one would let a wrong table miss deadlines for longer.
ALPHA, TOLERANCE = 0.1, 1.2
# One second at 30 FPS: long enough to tell one failure in ten from many (10 of 30 end the trust, or the first
# 4 frames), short enough that a table that was right a minute ago does not hide that it is wrong now.
WINDOW = 30
# Per frame, so at 30 FPS luck alone may be taken for a broken promise about twice a minute at worst; what
# that costs is ``CALM_S`` at the kernel's clock. A lower chance leaves a wrong table in charge for longer.
FALSE_ALARM = 0.001
# How long the kernel then has the clock: some hundred frames, in which a burst of other work or a thermal
# limit may pass. In vain, it doubles up to a minute, so that a table that stays wrong costs at most the few
# frames of one trial a minute, and one that is right again is followed within a minute. These times and the
# chance above are choices, not measurements.
CALM_S, LONGEST_S = 5.0, 60.0


class Trust:
    """Backs off when bounds fail too often, and comes back after a calm time.

    Args:
        alpha: share of frames that may lie above the bound by what it promises.
        tolerance: a frame counts as outside only above the bound times this: a bound that is a little
            narrow is corrected, not distrusted.
        window: how many of the last frames count.
        false_alarm: chance, per frame, of taking luck for a broken promise.
        calm_s: how long to stay backed off; doubled, up to ``longest_s``, when it was in vain.

    Example:
        >>> trust = Trust()
        >>> for _ in range(4):
        ...     trust.observe(30.0, 20.0, now_s=0.0)
        >>> trust.is_trusted(0.0), trust.is_trusted(5.0)
        (False, True)
    """

    def __init__(
        self,
        alpha: float = ALPHA,
        tolerance: float = TOLERANCE,
        window: int = WINDOW,
        false_alarm: float = FALSE_ALARM,
        calm_s: float = CALM_S,
        longest_s: float = LONGEST_S,
    ):
        if not (0 < alpha < 1 and tolerance >= 1 and window >= 1 and 0 < calm_s <= longest_s):
            raise ValueError(
                f"alpha {alpha}, tolerance {tolerance}, window {window}, calm {calm_s} to {longest_s} s; "
                "allowed: alpha between 0 and 1, tolerance and window from 1, calm times above 0"
            )
        self.alpha, self.tolerance = alpha, tolerance
        self.calm_s, self.longest_s = calm_s, longest_s
        self.backed_off = 0  # how often
        self.outside = 0  # of all frames
        self.seen = 0
        self._recent: deque[bool] = deque(maxlen=window)
        self.most_outside = tuple(
            _most_outside(n, alpha, false_alarm) for n in range(window + 1)
        )  # of the last n
        self._back_s = -math.inf
        self._wait_s = calm_s

    def observe(self, latency_ms: float, bound_ms: float, now_s: float) -> None:
        """Take note of a frame and of the upper bound it had been given."""
        is_outside = not latency_ms <= bound_ms * self.tolerance
        self.seen += 1
        self.outside += is_outside
        self._recent.append(is_outside)
        if sum(self._recent) > self.most_outside[len(self._recent)]:
            self.distrust(now_s)
        elif now_s > self._back_s + self.longest_s:
            self._wait_s = self.calm_s  # it has held for so long that the past is forgotten

    def distrust(self, now_s: float) -> None:
        """Back off from now on."""
        self._recent.clear()
        self.backed_off += 1
        self._back_s = now_s + self._wait_s
        self._wait_s = min(2 * self._wait_s, self.longest_s)

    def is_trusted(self, now_s: float) -> bool:
        """Return whether the table may be acted on now."""
        return now_s >= self._back_s


def _most_outside(frames: int, alpha: float, false_alarm: float) -> int:
    """Return how many of ``frames`` may be outside before chance explains it less often than allowed."""
    tail = 0.0
    for outside in range(frames, -1, -1):
        tail += math.comb(frames, outside) * alpha**outside * (1 - alpha) ** (frames - outside)
        if tail >= false_alarm:
            return outside
    return frames
