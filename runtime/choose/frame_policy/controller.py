"""Rows for each frame, and within it, by how the work of the frames before varied."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from runtime.choose.decision import Decision, DecisionTable
from runtime.choose.decision.trust import Trust
from runtime.choose.frame_policy import FramePolicy

Run = Callable[[Callable[[], None]], object]
# For which a change of clock or core stops a frame: writing it and moving threads. Assumed, on the safe side:
# a plan that counts too much changes less often.
TRANSITION_MS = 0.5


class FrameController:
    """Follows a ``FramePolicy``: a frame begins slowly, and speeds up the longer it lasts.

    Rows' latencies need only be right relative to one another: how much work frames are is learnt from them.

    Args:
        table: rows that can be changed to while a frame runs; their power must be known.
        deadline_ms: from a frame's arrival to when it is late.
        period_ms: between two frames; shorter than the deadline where finished frames may wait.
        late_share: of the frames, that may be late; see ``MissPenalty``.
        miss_penalty: of a late frame, whatever share of them is; default: as ``late_share`` asks for.
        run: runs what takes long, a tenth of a second, in the background; the default does it while a frame
            waits.

    Attributes:
        trust: whether clocks are obeyed; ``distrust`` it where another program has them.
        caps: highest clock of clusters that have a limit, in kHz.
        max_power_mw: of a row.

    Raises:
        ValueError: a row's power is not known, or a time that cannot be.

    Example:
        >>> from runtime.choose.policy.estimate import Estimate
        >>> from runtime.device.setting import Setting
        >>> slow = Estimate("", Setting("little", 600_000), 28.0, 28.0, 30.0, 100.0, 2.8)
        >>> fast = Estimate("", Setting("big", 2_400_000), 5.0, 5.0, 6.0, 1500.0, 7.5)
        >>> controller = FrameController(DecisionTable((slow, fast)), deadline_ms=33.3, period_ms=33.3)
        >>> for _ in range(30):  # frames of half the table's work
        ...     controller.learn([(1, 2.5)])
        >>> controller.begin(remaining_ms=33.3, now_s=0.0).row
        0
    """

    def __init__(
        self,
        table: DecisionTable,
        deadline_ms: float,
        *,
        period_ms: float,
        late_share: float = 0.01,
        miss_penalty: float | None = None,
        run: Run = lambda job: job(),
    ):
        powers_mw = [row.power_mw for row in table.rows]
        if None in powers_mw:
            raise ValueError("the power of some settings is not known; govern without --variable-load")
        self.table, self.deadline_ms, self.period_ms = table, deadline_ms, period_ms
        self.trust = Trust()
        self.caps: Mapping[str, int] = {}
        self.max_power_mw = math.inf
        self._late_share, self._fixed_penalty = late_share, miss_penalty
        self._remaining_ms = deadline_ms  # of the frame that runs, when it began
        self._run, self._is_solving = run, False
        self._speed = 1 / np.array([row.latency_ms for row in table.rows])
        self._power_mw = np.array(powers_mw, dtype=float)
        self._policy = self._new_policy(deadline_ms, period_ms)
        self._points, self._until_ms, self._step = [self.fastest()], [math.inf], 0
        self._runs = False  # a frame
        self._was_trusted, self._met = True, True

    @property
    def changes_within_frames(self) -> bool:
        """Whether rows change within a frame: they do."""
        return True

    @property
    def next_ms(self) -> float:
        """When the row changes, after the frame's beginning; infinite: not any more, or no frame runs."""
        return self._until_ms[self._step] if self._runs else math.inf

    def begin(self, remaining_ms: float | None, now_s: float) -> Decision:
        """Return what a frame that begins now runs at first.

        Args:
            remaining_ms: until its deadline; ``None``: it arrives just now.
        """
        if not self.trust.is_trusted(now_s):
            return self.decide(now_s)
        self._remaining_ms = self.deadline_ms if remaining_ms is None else remaining_ms
        self._plan(self._remaining_ms)
        self._runs = True
        return self._at_step()

    def change(self) -> Decision:
        """Return what the frame that runs goes on at from ``next_ms`` on."""
        self._step += 1
        return self._at_step()

    def decide(self, now_s: float) -> Decision:
        """Return what the frame that runs, or else most likely the next one begins, at."""
        if not self.trust.is_trusted(now_s):
            reason = "the clock cannot be held: it is left to the kernel for a while"
            decision = Decision(None, False, reason if self._was_trusted else "")
            self._was_trusted = False
            return decision
        if not self._runs:
            self._plan(self.deadline_ms)
        return self._at_step()

    def learn(
        self,
        parts: Sequence[tuple[int | None, float]],
        is_late: bool = False,
        now_s: float = 0.0,
        is_cold: bool = False,
    ) -> None:
        """Learn the work of a frame that is done.

        Args:
            parts: rows it ran at, and for how many ms; a part at ``None`` ran at another clock than any
                row's: such a frame teaches nothing.
            is_late: whether it missed its deadline.
            now_s, is_cold: not needed: moves are part of frames here.
        """
        remaining_ms = self._remaining_ms if self._runs else self.deadline_ms
        self._runs = False
        work = sum(self._speed[row] * ms for row, ms in parts if row is not None)
        if work > 0 and all(row is not None for row, _ in parts):
            self._policy.observe(
                np.array([work]), late=np.array([is_late]), remaining_ms=np.array([remaining_ms])
            )
            missing = self._policy.missing()
            if missing and not self._is_solving:
                self._is_solving = True
                self._run(functools.partial(self._solve, self._policy, missing.pop()))

    def retarget(self, deadline_ms: float) -> None:
        """Take another deadline, and a period as much longer or shorter; frames' work is learnt anew."""
        period_ms = self.period_ms * deadline_ms / self.deadline_ms
        self._policy = self._new_policy(deadline_ms, period_ms)
        self.deadline_ms, self.period_ms = deadline_ms, period_ms

    def bound_ms(self, row: int) -> float:
        """Return what an ordinary frame is expected to take at ``row``; a period until one was seen."""
        work = float(self._policy.belief.level[0]) * self._policy.full
        return work / float(self._speed[row])

    def fastest(self) -> int:
        """Return the fastest row that the caps allow."""
        return self.table.fastest(self.max_power_mw, self.caps)

    def headroom(self) -> float:
        """Return the share of the deadline that is left at the fastest row allowed; negative: too slow."""
        return 1.0 - self.bound_ms(self.fastest()) / self.deadline_ms

    def _plan(self, remaining_ms: float) -> None:
        plan = self._policy.decide(np.array([remaining_ms]), wait=False)
        self._points, self._until_ms = plan.point[0].tolist(), plan.until_ms[0].tolist()
        self._step = 0

    def _at_step(self) -> Decision:
        """Return what the plan has for now, as the caps allow."""
        row = self._points[self._step]
        if not self.table.is_allowed(row, self.max_power_mw, self.caps):
            row = self.fastest()
        meets = self.bound_ms(self.fastest()) <= self.deadline_ms
        reason = ""
        if not meets and self._met:
            fastest = self.table.rows[self.fastest()].setting
            reason = f"frames are too long for {self.deadline_ms:.3g} ms at {fastest}"
        elif not self._was_trusted:
            reason = "back from the kernel's clock"
        self._was_trusted, self._met = True, meets
        return Decision(row, meets, reason)

    def _solve(self, policy: FramePolicy, kind: tuple[int, int, int]) -> None:
        try:
            policy.solve(kind)
        finally:
            self._is_solving = False

    def _new_policy(self, deadline_ms: float, period_ms: float) -> FramePolicy:
        return FramePolicy(
            self._speed,
            self._power_mw,
            period_ms=period_ms,
            deadline_ms=deadline_ms,
            late_share=self._late_share,
            miss_penalty=self._fixed_penalty,
            transition_ms=TRANSITION_MS,
        )
