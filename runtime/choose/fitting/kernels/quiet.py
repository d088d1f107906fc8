"""Tell by a small graph, loaded beside the others, whether the machine runs at its own speed just now.

What else runs on the host slows a core by a fixed factor for seconds at a time: on an x86 machine that shares
its cores with other guests, x1.45 or x2 for 1 to 5 s, half of the time. The quietest of five visits is then
disturbed too often: of 51 networks, one or two never saw a quiet moment.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.targets.target import Session

_FRAMES = 9  # of which the median is taken
_SLOWED = 1.1  # by less than this it may be noise
_PAUSE_S = 0.25


@dataclass
class QuietWatch:
    """A session of a small graph whose frames tell when the machine is quiet.

    Args:
        session: of the graph; on the cores where the others are timed.
        patience_s: that waiting may take in all; what is timed after it is timed as it comes.
        quietest_ms: that a frame is known to take; infinite: not known.

    Example:
        >>> watch = QuietWatch(session, patience_s=60)      # doctest: +SKIP
        >>> watch.sample_quietly(lambda: frames.append(other.sample(warmup=3, runs=30)))    # doctest: +SKIP
    """

    session: Session
    patience_s: float
    quietest_ms: float = float("inf")
    sleep: Callable[[float], None] = time.sleep
    now_s: Callable[[], float] = time.monotonic
    _is_warm: bool = field(default=False, init=False)

    def sample_quietly(self, sample: Callable[[], None]) -> None:
        """Call ``sample`` when the machine is quiet, and again where it was not until the end."""
        until_s = self.now_s() + self.patience_s
        self._wait(until_s)
        start_s = self.now_s()
        sample()
        until_s += self.now_s() - start_s  # it is due in any case: what comes after it is patience
        while not self.is_quiet() and self.now_s() < until_s:
            self._wait(until_s)
            sample()
        self.patience_s = max(0.0, until_s - self.now_s())

    def is_quiet(self) -> bool:
        """Whether a frame takes hardly more than it did in the quietest moment so far."""
        warmup = 0 if self._is_warm else _FRAMES
        self._is_warm = True
        frame_ms = statistics.median(self.session.sample(warmup=warmup, runs=_FRAMES).samples_ms)
        self.quietest_ms = min(self.quietest_ms, frame_ms)
        return frame_ms <= _SLOWED * self.quietest_ms

    def _wait(self, until_s: float) -> None:
        while not self.is_quiet() and self.now_s() < until_s:
            self.sleep(_PAUSE_S)
