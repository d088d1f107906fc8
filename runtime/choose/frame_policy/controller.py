"""Rows for each frame, and within it, by how the work of the frames before varied."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from runtime.choose.decision import DecisionTable
from runtime.choose.decision.controller import Controller, Decision
from runtime.choose.frame_policy import LATE_PRICE, FramePolicy

Run = Callable[[Callable[[], None]], object]
TRANSITION_MS = 0.5  # for which a change of clock or core stops a frame: writing it, moving threads


class SceneController(Controller):
    """Follows a ``FramePolicy``: a frame begins slowly, and speeds up the longer it lasts.

    Rows' latencies need only be right relative to one another: how much work frames are is learnt from them.

    Args:
        table: rows that can be changed to while a frame runs; their power must be known.
        deadline_ms: from a frame's arrival to when it is late.
        period_ms: between two frames; shorter than the deadline where finished frames may wait.
        late_price: of a late frame, as ``FramePolicy`` takes it.
        run: runs what takes long, a tenth of a second, aside; the default does it while a frame waits.

    Raises:
        ValueError: a row's power is not known, or a time that cannot be.

    Example:
        >>> from runtime.choose.decision import Row
        >>> slow = Row("", "little", 600_000, 1, 28.0, 30.0, 100.0, 2.8)
        >>> fast = Row("", "big", 2_400_000, 1, 5.0, 6.0, 1500.0, 7.5)
        >>> controller = SceneController(DecisionTable((slow, fast)), deadline_ms=33.3, period_ms=33.3)
        >>> for _ in range(30):  # frames of half the table's work
        ...     controller.learn([(1, 2.5)])
        >>> controller.begin(left_ms=33.3).row
        0
    """

    def __init__(
        self,
        table: DecisionTable,
        deadline_ms: float,
        *,
        period_ms: float,
        late_price: float = LATE_PRICE,
        run: Run = lambda job: job(),
    ):
        super().__init__(table, deadline_ms)
        powers_mw = [row.power_mw for row in table.rows]
        if None in powers_mw:
            raise ValueError("the power of some settings is not known; govern without --scenes")
        self.period_ms, self._late_price = period_ms, late_price
        self._run, self._is_solving = run, False
        self._speed = 1 / np.array([row.latency_ms for row in table.rows])
        self._power_mw = np.array(powers_mw, dtype=float)
        self._policy = self._new_policy()
        self._points, self._until_ms, self._step = [self.fastest()], [math.inf], 0

    @property
    def next_ms(self) -> float:
        """When the row changes, after the frame's beginning; infinite: not any more."""
        return self._until_ms[self._step]

    def learn(self, parts: Sequence[tuple[int | None, float]]) -> None:
        """Learn the work of a frame that is done.

        Args:
            parts: rows it ran at, and for how many ms; a part at ``None`` ran at another clock than any
                row's: such a frame teaches nothing.
        """
        work = sum(self._speed[row] * ms for row, ms in parts if row is not None)
        if work > 0 and all(row is not None for row, _ in parts):
            self._policy.observe(np.array([work]))
            missing = self._policy.missing()
            if missing and not self._is_solving:
                self._is_solving = True
                self._run(functools.partial(self._solve, self._policy, missing.pop()))

    def decide(self, now_s: float) -> Decision:
        """Return what the next frame most likely begins at."""
        return self.begin(self.deadline_ms) if self.trust.is_trusted(now_s) else self._leave_to_kernel()

    def begin(self, left_ms: float) -> Decision:
        """Return what a frame that begins now, due in ``left_ms``, runs at first."""
        plan = self._policy.decide(np.array([left_ms]), wait=False)
        self._points, self._until_ms = plan.point[0].tolist(), plan.until_ms[0].tolist()
        self._step = 0
        return self.at_step()

    def change(self) -> Decision:
        """Return what the frame that runs goes on at from ``next_ms`` on."""
        self._step += 1
        return self.at_step()

    def at_step(self) -> Decision:
        """Return what the frame that runs is to run at now, as the caps allow."""
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
        self._row, self._was_trusted, self._met = row, True, meets
        return Decision(row, meets, reason)

    def retarget(self, deadline_ms: float) -> None:
        """Take another deadline, and a period as much longer or shorter; frames' work is learnt anew."""
        before_ms = self.deadline_ms
        super().retarget(deadline_ms)
        self.period_ms *= deadline_ms / before_ms
        self._policy = self._new_policy()

    def bound_ms(self, row: int) -> float:
        """Return what an ordinary frame is expected to take at ``row``; a period until one was seen."""
        work = float(self._policy.belief.level[0]) * self._policy.full
        return work / float(self._speed[row])

    def _solve(self, policy: FramePolicy, scatter: tuple[int, int]) -> None:
        try:
            policy.solve(scatter)
        finally:
            self._is_solving = False

    def _new_policy(self) -> FramePolicy:
        return FramePolicy(
            self._speed,
            self._power_mw,
            period_ms=self.period_ms,
            deadline_ms=self.deadline_ms,
            late_price=self._late_price,
            transition_ms=TRANSITION_MS,
        )
