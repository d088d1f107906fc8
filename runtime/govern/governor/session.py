"""One stream of frames under a governor: which threads, which deadline, what they run at now."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from runtime.choose.decision import Row
from runtime.choose.decision.controller import Controller, Decision
from runtime.choose.decision.margin import Margin
from runtime.govern.governor.tables import CALIBRATION_FRAMES, Rows


@dataclass
class Session:
    """Frames of some threads of one process.

    Where the rows are relative the first frames run at the fastest row and scale them, and again after
    predictions were not trusted.

    Attributes:
        pid, tids: whose frames.
        rows: that it may run at.
        target_ms: duration that a frame may take.
        period_ms: between two frames; ``None``: the target.
        is_told_of_begins: whether it makes a difference to tell when a frame begins.
        decision: for the next frame.
        in_effect: row that the machine really runs it at; ``None``: another clock than any row's.
        affinity: of each thread before it was moved.
        is_cold: the threads have just been moved: the next frame finds cold caches, and teaches nothing.
        is_asleep: it has not reported for a while, and asks for no clock until it does.
        frames, late: counted so far.
    """

    number: int
    pid: int
    tids: tuple[int, ...]
    name: str
    rows: Rows
    target_ms: float
    margin: Margin = field(default_factory=Margin)
    period_ms: float | None = None
    decision: Decision = field(init=False)
    in_effect: int | None = None
    cpus: tuple[int, ...] | None = None
    affinity: dict[int, set[int]] = field(default_factory=dict)
    is_cold: bool = False
    is_asleep: bool = False
    last_s: float = 0.0
    frames: int = 0
    late: int = 0
    is_told_of_begins: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._full_ms: list[float] = []
        self._calibrating = self.rows.is_relative
        table = self.rows.scaled(self.target_ms) if self._calibrating else self.rows.table
        self.controller = Controller(table, self.target_ms, margin=self.margin)
        self.decision = Decision(None, False, "")

    @property
    def row(self) -> Row | None:
        """What the next frame is asked to run at; ``None``: the kernel's clock."""
        return None if self.decision.row is None else self.controller.table.rows[self.decision.row]

    @property
    def cluster(self) -> str:
        """Where the next frame runs."""
        row = self.row or self.controller.table.rows[self.controller.fastest()]
        return row.cluster

    @property
    def setting_text(self) -> str:
        """What the next frame runs at, in words."""
        if self.in_effect is None:
            return f"{self.cluster} @ kernel clock"
        return str(self.controller.table.rows[self.in_effect].setting)

    @property
    def label(self) -> str:
        """How remarks call it."""
        return self.name or f"session {self.number} of process {self.pid}"

    @property
    def is_trusted(self) -> bool:
        """Whether the table is acted on, and the machine does what it is asked."""
        return self.decision.row is not None and self.in_effect is not None

    @property
    def change_s(self) -> float:
        """When the frame that runs is to go on at another row; infinite: not any more."""
        return math.inf

    def begin(self, left_ms: float | None, now_s: float) -> Decision:
        """Take note that a frame begins, due in ``left_ms``; here that changes nothing."""
        return self.decision

    def change(self, now_s: float) -> Decision:
        """Choose what the frame that runs goes on at."""
        return self.decision

    def parts(self, actual_ms: float) -> list[tuple[int | None, float]]:
        """Return the rows that a frame of ``actual_ms`` ran at, and how long at each.

        ``None`` stands for a clock that is no row's.
        """
        return [(self.in_effect, actual_ms)]

    def report(self, actual_ms: float, is_late: bool, now_s: float) -> None:
        """Learn from a frame that is done."""
        self.last_s, self.is_asleep = now_s, False
        self.frames += 1
        self.late += is_late
        self._learn(actual_ms, is_late, now_s)

    def _learn(self, actual_ms: float, is_late: bool, now_s: float) -> None:
        row = None if self._calibrating or self.is_cold else self.in_effect
        self.controller.observe(actual_ms, row, now_s, is_late)
        is_cold, self.is_cold = self.is_cold, False
        if self._calibrating and self.in_effect is not None and not is_cold:
            self._full_ms.append(actual_ms / self.rows.table.rows[self.in_effect].latency_ms)
            if len(self._full_ms) == CALIBRATION_FRAMES:
                self._calibrate(statistics.median(self._full_ms))

    def limit(self, caps: Mapping[str, int], max_power_mw: float = math.inf) -> None:
        """Choose within these limits from now on.

        Args:
            caps: highest clock of clusters that have one.
            max_power_mw: of a setting.
        """
        self.controller.caps, self.controller.max_power_mw = caps, max_power_mw

    def decide(self, now_s: float) -> Decision:
        """Choose what the next frame runs at."""
        if self._calibrating and self.controller.trust.is_trusted(now_s):
            reason = "at the fastest, to learn how much work a frame is" if self.decision.row is None else ""
            self.decision = Decision(self.controller.fastest(), True, reason)
            return self.decision
        self.decision = self.controller.decide(now_s)
        if self.decision.row is None and self.rows.is_relative:
            self._calibrating = True  # when the kernel has had it for a while: the work may be another
            self._full_ms.clear()
        return self.decision

    def retarget(self, target_ms: float) -> None:
        """Take another target duration."""
        self.controller.retarget(target_ms)
        self.target_ms = target_ms

    def row_at(self, cluster: str, freq_khz: int | None) -> int | None:
        """Return the row of a cluster at a clock, ``None`` where the table has none."""
        for index, row in enumerate(self.controller.table.rows):
            if (row.cluster, row.freq_khz) == (cluster, freq_khz):
                return index
        return None

    def _calibrate(self, full_ms: float) -> None:
        self._calibrating = False
        trust = self.controller.trust
        table = self.rows.scaled(full_ms)
        self.controller = Controller(table, self.target_ms, margin=self.margin, trust=trust)
