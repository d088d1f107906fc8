"""What a governor does about each frame: pure, so that a test can play any hour in a second.

Knows no clock, file or socket. Time is what the caller says it is.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.choose.decision import DecisionTable, Feedback, Hysteresis
from runtime.choose.decision.margin import Margin
from runtime.choose.decision.trust import Trust

# One odd frame is no slower device: the slowdown follows the median of so many. What odd frames cost in
# lateness the margin answers, by how often they come.
FILTERED = 3
# A late frame leaves the next one less time: this share of its own until frames are in time again. The
# margin counts the first late one, and those that are too long themselves: not all that stand behind it.
CATCH_UP = 0.7


@dataclass(frozen=True)
class Decision:
    """What to run the next frame at.

    Attributes:
        row: of the table; ``None`` leaves the clock to the kernel.
        meets_deadline: whether the row is expected to be in time.
        reason: why, in words; empty while nothing changes.
    """

    row: int | None
    meets_deadline: bool
    reason: str = ""


class Controller:
    """Chooses a row of a policy's table for each frame, and corrects the table by what frames took.

    Args:
        table: rows that can be changed to while the work runs.
        deadline_ms: of a frame.
        feedback: how the slowdown over the table is followed.
        hysteresis: how long a cheaper row must be asked for.
        margin: how late frames are answered.
        trust: when the table is not believed any more.

    Example:
        >>> from runtime.choose.decision import Row
        >>> slow = Row("litert-fp32", "little", 600_000, 1, 28.0, 30.0, 100.0, 2.8)
        >>> fast = Row("litert-fp32", "big", 2_400_000, 1, 5.0, 6.0, 1500.0, 7.5)
        >>> controller = Controller(DecisionTable((slow, fast)), deadline_ms=33.3)
        >>> controller.decide(now_s=0.0).row
        0
        >>> controller.observe(45.0, row=0, now_s=0.1)
        >>> controller.decide(now_s=0.1).row
        1
    """

    def __init__(
        self,
        table: DecisionTable,
        deadline_ms: float,
        *,
        feedback: Feedback | None = None,
        hysteresis: Hysteresis | None = None,
        margin: Margin | None = None,
        trust: Trust | None = None,
    ):
        self.table = table
        self.deadline_ms = _checked(deadline_ms)
        self.feedback = feedback or Feedback()
        self.hysteresis = hysteresis or Hysteresis()
        self.margin_rule = margin or Margin()
        self.trust = trust or Trust()
        self.slowdown, self.margin = 1.0, 1.0
        self.caps: Mapping[str, int] = {}
        self.max_power_mw = math.inf
        self._row, self._calm = -1, 0
        self._ratios: deque[float] = deque(maxlen=FILTERED)
        self._was_trusted, self._met, self._is_behind = True, True, False

    def observe(self, latency_ms: float, row: int | None, now_s: float, is_late: bool | None = None) -> None:
        """Learn from a frame that is done.

        Args:
            row: that it ran at; ``None`` where the kernel chose, or somebody else changed, the clock.
            is_late: whether it missed its deadline, where that does not follow from ``latency_ms``.

        Raises:
            ValueError: a latency that cannot be.
        """
        if not 0 < latency_ms < math.inf:
            raise ValueError(f"a frame took {latency_ms} ms; it must be a positive number")
        was_behind = self._is_behind
        self._is_behind = latency_ms > self.deadline_ms if is_late is None else is_late
        if row is None:
            return
        bound_ms = self.table.rows[row].latency_high_ms
        self.trust.observe(latency_ms, bound_ms * max(self.slowdown, 1.0), now_s)
        self._ratios.append(latency_ms / bound_ms)
        self.slowdown = self.feedback.next_slowdown(self.slowdown, statistics.median_low(self._ratios), 1.0)
        is_miss = latency_ms > self.deadline_ms or (self._is_behind and not was_behind)
        if not is_miss or row != self.fastest():  # nothing could have helped at the fastest
            self.margin = self.margin_rule.next(self.margin, is_miss)

    def decide(self, now_s: float) -> Decision:
        """Return what the next frame runs at."""
        if not self.trust.is_trusted(now_s):
            return self._leave_to_kernel()
        left_ms = self.deadline_ms * (CATCH_UP if self._is_behind else 1.0)
        wanted = self._decide(left_ms / self.margin)
        is_kept = self._row >= 0 and self.table.is_allowed(self._row, self.max_power_mw, self.caps)
        before = self._row if is_kept else -1
        row, self._calm = self.hysteresis.next_row(before, wanted, self._calm)
        meets = self.bound_ms(row) <= self.deadline_ms
        reason = self._reason(row, before, meets)
        self._row, self._was_trusted, self._met = row, True, meets
        return Decision(row, meets, reason)

    def retarget(self, deadline_ms: float) -> None:
        """Take another deadline from the next decision on; a looser one is followed at once, too."""
        self.deadline_ms = _checked(deadline_ms)
        self._row, self._calm = -1, 0

    def bound_ms(self, row: int) -> float:
        """Return what a frame takes at most at ``row``, as far as is known now."""
        return self.table.rows[row].latency_high_ms * self.slowdown

    def fastest(self) -> int:
        """Return the fastest row that the caps allow."""
        return self._decide(0.0)

    def headroom(self) -> float:
        """Return the share of the deadline that is left at the fastest row allowed; negative: too slow."""
        return 1.0 - self.bound_ms(self.fastest()) / self.deadline_ms

    def _leave_to_kernel(self) -> Decision:
        reason = "frames take longer than predicted too often: the clock is left to the kernel"
        decision = Decision(None, False, reason if self._was_trusted else "")
        self._was_trusted, self._row, self._calm = False, -1, 0
        return decision

    def _decide(self, deadline_ms: float) -> int:
        return self.table.decide(
            deadline_ms, self.slowdown, max_power_mw=self.max_power_mw, max_freq_khz=self.caps
        )

    def _reason(self, row: int, before: int, meets: bool) -> str:
        setting = self.table.rows[row].setting
        bound = f"{self.bound_ms(row):.3g} ms at most"
        if not meets and (self._met or row != before):
            cap = " that the cap allows" if self.caps or self.max_power_mw < math.inf else ""
            return f"nothing{cap} meets {self.deadline_ms:.3g} ms: {setting} is the fastest ({bound})"
        if row == before:
            return ""
        if not self._was_trusted:
            return f"back from the kernel's clock: {setting} ({bound})"
        if before < 0:
            return f"{setting} is the cheapest that meets {self.deadline_ms:.3g} ms ({bound})"
        if row > before:
            return f"up to {setting}: {self._why_up()} ({bound})"
        return (
            f"down to {setting}: {self.hysteresis.frames} frames in a row would have been in time ({bound})"
        )

    def _why_up(self) -> str:
        words = [f"frames take {self.slowdown:.2f} times their bound"]
        if self.margin > 1.0:
            words.append(f"{100 * (self.margin - 1):.0f} % of room is kept")
        if self._is_behind:
            words.append("the last was late")
        return ", ".join(words)


def _checked(deadline_ms: float) -> float:
    if not 0 < deadline_ms < math.inf:
        raise ValueError(f"deadline is {deadline_ms} ms; it must be a positive number")
    return deadline_ms
