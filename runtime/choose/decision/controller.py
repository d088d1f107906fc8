"""What a governor does about steady frames, all alike: pure, so that a test can play hours in a second.

One row for a whole frame, or two where that saves energy. Knows no clock, file or socket: time is what the
caller says it is.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from runtime.choose.decision import Decision, DecisionTable, Hysteresis, Slowdown, SlowdownRule
from runtime.choose.decision.hysteresis import Calm
from runtime.choose.decision.outlook import ChangeCost, Outlook, RowPlan
from runtime.choose.decision.reasons import Reasons
from runtime.choose.decision.trust import Trust

# A late frame leaves the next one less time: by as much as it was late, at most by this share of the
# deadline, which also stands for what is not known. A delay of a whole deadline is then gone after three or
# four frames. A larger share is quicker and needs faster clocks; chosen, not measured on its own.
MOST_BEHIND = 0.3
# How quickly the usual time between a frame's release and its beginning is followed: a second at 30 FPS.
DELAY_MEMORY = 32.0
# Frames that a relative table is scaled by: of three the median is no outlier.
CALIBRATION_FRAMES = 3


class Controller:
    """Chooses a row of a policy's table for each frame, and corrects the table by what frames took.

    A program that reports when its frames begin may get two rows within a frame, see ``Outlook``.

    Args:
        table: rows that can be changed to while the work runs.
        deadline_ms: of a frame.
        is_relative: the table's latencies are only right relative to one another, as those of a frame that
            takes 1 ms on the fastest core: the first frames run at the fastest row and scale them, and again
            after predictions were not trusted.
        rule: how the slowdown over the table is followed, and how many frames may be late.
        hysteresis: how long something cheaper must be asked for.
        trust: when the table is not believed any more.
        change_cost: returns what a change of clock or cluster within a frame costs now.

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
        >>> for _ in range(3):
        ...     controller.observe(45.0, row=0, now_s=0.1)
        >>> controller.decide(now_s=0.1).row
        1
    """

    def __init__(
        self,
        table: DecisionTable,
        deadline_ms: float,
        *,
        is_relative: bool = False,
        rule: SlowdownRule | None = None,
        hysteresis: Hysteresis | None = None,
        trust: Trust | None = None,
        change_cost: Callable[[], ChangeCost] = ChangeCost,
    ):
        self.deadline_ms = _checked(deadline_ms)
        self.rule = rule or SlowdownRule()
        self.hysteresis = hysteresis or Hysteresis()
        self.trust = trust or Trust()
        self.caps: Mapping[str, int] = {}
        self.max_power_mw = math.inf
        self._change_cost = change_cost
        self._relative = table if is_relative else None
        self._full_ms: list[float] = []
        self._is_calibrating, self._is_announced = is_relative, False
        self._runs = self._is_changed = self._reports_begins = False
        self._delay_ms = 0.0  # between a frame's release and its beginning
        self._time_ms = deadline_ms  # of the frame that runs, when it began
        self._begin(table.scaled(deadline_ms) if is_relative else table)

    def _begin(self, table: DecisionTable) -> None:
        """Start with a table of which nothing is known to be wrong."""
        self.table = table
        self.slowdown = Slowdown(len(table.clusters), self.rule)
        is_order = table.over_mw is None  # of which there are no shares, as of an energy
        self._hysteresis = replace(self.hysteresis, gain=0.0) if is_order else self.hysteresis
        self._base: RowPlan | None = None  # of frames that begin in time
        self._plan = self._at_fastest()
        self._calm, self._behind = Calm(), 0.0
        self._was_trusted, self._met = True, True

    @property
    def changes_within_frames(self) -> bool:
        """Whether two rows may share a frame, so that a program is asked to report when its frames begin."""
        return any(kind is not None for kind in self.table.mixable)

    @property
    def next_ms(self) -> float:
        """When the row changes, after the frame's beginning; infinite: not any more, or no frame runs."""
        return self._plan.until_ms if self._runs and not self._is_changed else math.inf

    def observe(self, latency_ms: float, row: int | None, now_s: float, is_late: bool | None = None) -> None:
        """Learn from a frame at one row, as ``learn``; by default it was late where it took too long."""
        self.learn([(row, latency_ms)], latency_ms > self.deadline_ms if is_late is None else is_late, now_s)

    def learn(
        self, parts: Sequence[tuple[int | None, float]], is_late: bool, now_s: float, is_cold: bool = False
    ) -> None:
        """Learn from a frame that is done, or how much work a frame is.

        Args:
            parts: rows it ran at, and for how many ms; at ``None`` the kernel chose, or somebody else
                changed, the clock: such a frame teaches nothing.
            is_late: whether it missed its deadline.
            is_cold: its threads had just been moved and found cold caches: it teaches nothing, unless moves
                are part of every frame.

        Raises:
            ValueError: a latency that cannot be.
        """
        latency_ms = _sum(ms for _, ms in parts)
        if not 0 < latency_ms < math.inf:
            raise ValueError(f"a frame took {latency_ms} ms; it must be a positive number")
        was_begun, self._runs = self._runs, False
        was_behind, self._behind = self._behind > 0.0, self._left_behind(latency_ms, is_late)
        self._reports_begins = was_begun
        rows = [(row, ms) for row, ms in parts if row is not None]
        if len(rows) < len(parts) or (is_cold and not self._moves_each_frame()):
            return
        if self._is_calibrating:
            self._calibrate(rows[0][0], latency_ms)
            return
        table = self.table
        share = _sum(ms / max(table.rows[row].latency_high_ms, self.bound_ms(row)) for row, ms in rows)
        self.trust.observe(share, 1.0, now_s)
        is_delayed = is_late and not was_behind and not was_begun and latency_ms <= self.deadline_ms
        fastest = self.fastest()
        fastest_ms = table.rows[fastest].latency_ms * self.slowdown.of_cluster[table.cluster_of[fastest]]
        self.slowdown.learn(
            [(table.cluster_of[row], ms / table.rows[row].latency_ms) for row, ms in rows],
            is_delayed and rows[-1][0] != fastest,  # nothing could have helped at the fastest
            (self._time_ms if was_begun else self.deadline_ms) / fastest_ms,
        )

    def begin(self, remaining_ms: float | None, now_s: float) -> Decision:
        """Return what a frame that begins now runs at first.

        Args:
            remaining_ms: until its deadline; ``None``: it arrives just now.
        """
        self._runs = False
        self._time_ms = self.deadline_ms if remaining_ms is None else remaining_ms
        if self._base is None or self._is_calibrating or not self.trust.is_trusted(now_s):
            decision = self.decide(now_s)
            self._runs, self._is_changed = True, False
            return decision
        self._runs, self._is_changed = True, False
        time_ms = self._time_ms
        if not self._behind:
            self._delay_ms += (max(self.deadline_ms - time_ms, 0.0) - self._delay_ms) / DELAY_MEMORY
        self._plan = self._fit(self._outlook(), self._base, time_ms)
        return Decision(self._plan.first, self._plan.cost < math.inf)

    def change(self) -> Decision:
        """Return what the frame that runs goes on at from ``next_ms`` on."""
        self._is_changed = True
        return Decision(self._plan.then, self._plan.cost < math.inf)

    def decide(self, now_s: float) -> Decision:
        """Return what the frame that runs, or else the next one, is to run at."""
        if not self.trust.is_trusted(now_s):
            return self._leave_to_kernel()
        if self._is_calibrating:
            reason = "" if self._is_announced else "at the fastest, to learn how much work a frame is"
            self._is_announced, self._plan = True, self._at_fastest()
            return Decision(self.fastest(), True, reason)
        if self._runs:
            return self._go_on()
        outlook = self._outlook()
        time_ms = self.deadline_ms - (self._delay_ms if self._reports_begins else 0.0)
        wanted = outlook.best(time_ms, self._hysteresis.gain, mixes=self._reports_begins)
        before, kept_cost = self._base, math.inf
        if before is not None and (self._reports_begins or before.first == before.then):
            kept_cost = outlook.again(before, time_ms).cost
        is_left, self._calm = self._hysteresis.step(kept_cost, wanted.cost, self._calm)
        base = self._base = wanted if before is None or is_left else before
        meets = (wanted if base is wanted else outlook.again(base, time_ms)).cost < math.inf
        self._plan = base
        if self._behind:
            self._plan = self._fit(outlook, base, self.deadline_ms * (1.0 - self._behind))
        reason = self._reason(outlook, base, before, meets)
        self._was_trusted, self._met = True, meets
        return Decision(self._plan.first, meets, reason)

    def retarget(self, deadline_ms: float) -> None:
        """Take another deadline from the next decision on; a looser one is followed at once, too."""
        self.deadline_ms = _checked(deadline_ms)
        self._base = None

    def bound_ms(self, row: int) -> float:
        """Return what all but the frames that may be late take at ``row``, as far as is known now."""
        estimate, cluster = self.table.rows[row], self.table.cluster_of[row]
        if not self.slowdown.is_known:
            return estimate.latency_high_ms
        return estimate.latency_ms * self.slowdown.of_cluster[cluster] * self.slowdown.upper

    def fastest(self) -> int:
        """Return the fastest row that the caps allow."""
        return self.table.fastest(self.max_power_mw, self.caps)

    def headroom(self) -> float:
        """Return the share of the deadline that is left at the fastest row allowed; negative: too slow."""
        return 1.0 - self.bound_ms(self.fastest()) / self.deadline_ms

    def _is_allowed(self, row: int) -> bool:
        return self.table.is_allowed(row, self.max_power_mw, self.caps)

    def _moves_each_frame(self) -> bool:
        base, cluster_of = self._base, self.table.cluster_of
        return base is not None and cluster_of[base.first] != cluster_of[base.then]

    def _outlook(self) -> Outlook:
        return Outlook(self.table, self.slowdown, self._is_allowed, self._change_cost())

    def _at_fastest(self) -> RowPlan:
        return RowPlan(self.fastest(), self.fastest(), math.inf, math.inf)

    def _left_behind(self, latency_ms: float, is_late: bool) -> float:
        """Return the share of its deadline that a frame which has just ended takes from the next one."""
        if not is_late:
            return 0.0
        if self._behind or latency_ms <= self.deadline_ms:
            return MOST_BEHIND  # it began late, nobody knows by how much
        return min(latency_ms / self.deadline_ms - 1.0, MOST_BEHIND)

    def _fit(self, outlook: Outlook, base: RowPlan, remaining_ms: float) -> RowPlan:
        """Return ``base``, or another row for one frame that has less time: on its cluster, if enough."""
        plan = outlook.again(base, remaining_ms)
        if plan.cost == math.inf:
            plan = outlook.single(remaining_ms, self.table.cluster_of[base.first])
        return plan if plan.cost < math.inf else outlook.single(remaining_ms)

    def _go_on(self) -> Decision:
        """Return what the frame that runs has planned for now; another row where a cap forbids that."""
        row = self._plan.then if self._is_changed else self._plan.first
        if not self._is_allowed(row):
            self._plan, self._is_changed = self._outlook().single(self.deadline_ms), False
            row = self._plan.first
        return Decision(row, self._plan.cost < math.inf)

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
        self._was_trusted, self._base = False, None
        self._plan = self._at_fastest()
        if self._relative is not None:  # when the kernel has had it for a while, the work may be another
            self._is_calibrating, self._is_announced = True, False
            self._full_ms.clear()
        return decision

    def _reason(self, outlook: Outlook, base: RowPlan, before: RowPlan | None, meets: bool) -> str:
        is_capped = bool(self.caps) or self.max_power_mw < math.inf
        reasons = Reasons(
            self.table, self.slowdown, outlook, self.hysteresis.frames, self.deadline_ms, is_capped
        )
        changed = reasons.why(base, before, was_trusted=self._was_trusted)
        return reasons.why_late(base) if not meets and (self._met or changed) else changed


def _sum(values: Iterable[float]) -> float:
    """Return the plain sum, as C has it: Python's own is compensated since 3.12."""
    total = 0.0
    for value in values:
        total += value
    return total


def _checked(deadline_ms: float) -> float:
    if not 0 < deadline_ms < math.inf:
        raise ValueError(f"deadline is {deadline_ms} ms; it must be a positive number")
    return deadline_ms
