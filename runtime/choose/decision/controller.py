"""What a governor does about steady frames, all alike: pure, so that a test can play any hour in a second.

One row for a whole frame. Knows no clock, file or socket: time is what the caller says it is.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Mapping, Sequence

from runtime.choose.decision import Decision, DecisionTable, Feedback, Hysteresis
from runtime.choose.decision.margin import Margin
from runtime.choose.decision.trust import Trust

# One outlier is no slower device: the slowdown follows the median of so many frames. Three is the least that
# has a median which one outlier cannot move; five would answer a truly slower device a frame later. What
# outliers cost in lateness the margin answers, by how often they come.
FILTERED = 3
# A late frame leaves the next one less time: this share of its own until frames are in time again. The
# margin counts the first late one, and those that are too long themselves: not all that stand behind it.
# Each frame then regains 0.3 of its deadline, so a delay of a whole one is gone after three or four. A lower
# share is quicker and needs faster clocks; 0.7 was chosen, not measured on its own.
CATCH_UP = 0.7
# Frames that a relative table is scaled by: the median of three, as above.
CALIBRATION_FRAMES = 3


class Controller:
    """Chooses a row of a policy's table for each frame, and corrects the table by what frames took.

    Args:
        table: rows that can be changed to while the work runs.
        deadline_ms: of a frame.
        is_relative: the table's latencies are only right relative to one another, as those of a frame that
            takes 1 ms on the fastest core: the first frames run at the fastest row and scale them, and again
            after predictions were not trusted.
        feedback: how the slowdown over the table is followed.
        hysteresis: how long a cheaper row must be asked for.
        margin: how late frames are answered.
        trust: when the table is not believed any more.

    Attributes:
        caps: highest clock of clusters that have a limit, in kHz.
        max_power_mw: of a row.

    Example:
        >>> from runtime.choose.policy.estimate import Estimate
        >>> from runtime.device.setting import Setting
        >>> slow = Estimate("litert-fp32", Setting("little", 600_000), 28.0, 28.0, 30.0, 100.0, 2.8)
        >>> fast = Estimate("litert-fp32", Setting("big", 2_400_000), 5.0, 5.0, 6.0, 1500.0, 7.5)
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
        is_relative: bool = False,
        feedback: Feedback | None = None,
        hysteresis: Hysteresis | None = None,
        margin: Margin | None = None,
        trust: Trust | None = None,
    ):
        self.deadline_ms = _checked(deadline_ms)
        self.feedback = feedback or Feedback()
        self.hysteresis = hysteresis or Hysteresis()
        self.margin_rule = margin or Margin()
        self.trust = trust or Trust()
        self.caps: Mapping[str, int] = {}
        self.max_power_mw = math.inf
        self._relative = table if is_relative else None
        self._full_ms: list[float] = []
        self._is_calibrating, self._is_announced = is_relative, False
        self._begin(table.scaled(deadline_ms) if is_relative else table)

    def _begin(self, table: DecisionTable) -> None:
        """Start with a table of which nothing is known to be wrong."""
        self.table = table
        self.slowdown, self.margin = 1.0, 1.0
        self._row, self._calm = -1, 0
        self._ratios: deque[float] = deque(maxlen=FILTERED)
        self._was_trusted, self._met, self._is_behind = True, True, False

    def learn(
        self, parts: Sequence[tuple[int | None, float]], is_late: bool, now_s: float, is_cold: bool
    ) -> None:
        """Learn from a frame that is done, as ``observe``, or how much work a frame is.

        Args:
            parts: the row it ran at, and for how many ms; here that is one part.
            is_late: whether it missed its deadline.
            is_cold: its threads had just been moved and found cold caches: it teaches nothing.
        """
        [(row, latency_ms)] = parts
        self.observe(latency_ms, None if self._is_calibrating or is_cold else row, now_s, is_late)
        if self._is_calibrating and row is not None and not is_cold:
            self._calibrate(row, latency_ms)

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
        if self._is_calibrating:
            reason = "" if self._is_announced else "at the fastest, to learn how much work a frame is"
            self._is_announced = True
            return Decision(self.fastest(), True, reason)
        remaining_ms = self.deadline_ms * (CATCH_UP if self._is_behind else 1.0)
        wanted = self.table.decide(
            remaining_ms / self.margin,
            self.slowdown,
            max_power_mw=self.max_power_mw,
            max_freq_khz=self.caps,
        )
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
        return self.table.fastest(self.max_power_mw, self.caps)

    def headroom(self) -> float:
        """Return the share of the deadline that is left at the fastest row allowed; negative: too slow."""
        return 1.0 - self.bound_ms(self.fastest()) / self.deadline_ms

    def _calibrate(self, row: int, latency_ms: float) -> None:
        """Learn how much work a frame is from one that ran at ``row``."""
        assert self._relative is not None
        self._full_ms.append(latency_ms / self._relative.rows[row].latency_ms)
        if len(self._full_ms) == CALIBRATION_FRAMES:
            self._is_calibrating = False
            self._begin(self._relative.scaled(statistics.median(self._full_ms)))

    def _leave_to_kernel(self) -> Decision:
        reason = "frames take longer than predicted too often: the clock is left to the kernel"
        decision = Decision(None, False, reason if self._was_trusted else "")
        self._was_trusted, self._row, self._calm = False, -1, 0
        if self._relative is not None:  # when the kernel has had it for a while, the work may be another
            self._is_calibrating, self._is_announced = True, False
            self._full_ms.clear()
        return decision

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
