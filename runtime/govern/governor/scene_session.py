"""One stream of frames whose work varies: rows change while a frame runs."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from runtime.choose.decision.controller import Decision
from runtime.choose.frame_policy import LATE_PRICE
from runtime.choose.frame_policy.controller import SceneController
from runtime.govern.governor.session import Session


@dataclass
class SceneSession(Session):
    """Frames that follow a ``SceneController``.

    A program that does not tell when its frames begin gets one row for each, and no change within it.

    Attributes:
        late_price: of a late frame, as ``FramePolicy`` takes it.
    """

    is_told_of_begins = True
    late_price: float = LATE_PRICE

    @staticmethod
    def run_aside(job: Callable[[], None]) -> None:
        """Run ``job`` in a thread that no frame waits for."""
        threading.Thread(target=job, daemon=True).start()

    def __post_init__(self) -> None:
        super().__post_init__()
        period_ms = self.target_ms if self.period_ms is None else self.period_ms
        self.scenes = SceneController(
            self.rows.table,
            self.target_ms,
            period_ms=period_ms,
            late_price=self.late_price,
            run=self.run_aside,
        )
        self.controller = self.scenes
        self._calibrating = False  # a frame's work is learnt from each
        self._is_running = False
        self._begun_s = 0.0
        self._parts: list[tuple[int | None, float]] = []

    @property
    def change_s(self) -> float:
        """When the row changes next."""
        runs = self._is_running and not self.is_asleep and self.decision.row is not None
        return self._begun_s + self.scenes.next_ms / 1e3 if runs else math.inf

    def begin(self, left_ms: float | None, now_s: float) -> Decision:
        """Choose what a frame begins at that is due in ``left_ms``; default: the target."""
        self.last_s, self.is_asleep = now_s, False
        if not self.controller.trust.is_trusted(now_s):
            return self.decide(now_s)
        self._is_running, self._begun_s = True, now_s
        self._parts.clear()
        self.decision = self.scenes.begin(self.target_ms if left_ms is None else left_ms)
        return self.decision

    def change(self, now_s: float) -> Decision:
        """Choose what the frame that runs goes on at."""
        self._parts = self.parts((now_s - self._begun_s) * 1e3)
        self.decision = self.scenes.change()
        return self.decision

    def decide(self, now_s: float) -> Decision:
        """Choose again what the frame that runs, or else the next one, runs at."""
        trusted = self.controller.trust.is_trusted(now_s)
        self.decision = self.scenes.at_step() if self._is_running and trusted else self.scenes.decide(now_s)
        return self.decision

    def parts(self, actual_ms: float) -> list[tuple[int | None, float]]:
        """Return the rows that a frame of ``actual_ms`` ran at, and how long at each."""
        before_ms = sum(ms for _, ms in self._parts)
        return [*self._parts, (self.in_effect, max(0.0, actual_ms - before_ms))]

    def _learn(self, actual_ms: float, is_late: bool, now_s: float) -> None:
        self.scenes.learn(self.parts(actual_ms))
        self._is_running = False
        self._parts.clear()
