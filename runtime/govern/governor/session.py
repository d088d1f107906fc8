"""One stream of frames under a governor: whose threads, by which strategy, what they run at now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from runtime.choose.decision import Decision, DecisionTable
from runtime.choose.decision.trust import Trust
from runtime.choose.policy.estimate import Estimate
from runtime.device.actuators import Places
from runtime.device.setting import Setting
from runtime.device.soc.account import work_mj
from runtime.measure.frame_log import FrameLine

# Without a report after which a program waits for its user, or hangs: longer than any frame worth governing,
# short enough that a paused game does not hold a fast clock for its whole pause. Of gestures: a program that
# keeps a slow setting between them says so again within it, and one that hangs does not.
SLEEP_S, GESTURE_SLEEP_S = 5.0, 60.0
# Rows that a frame ran at, and for how many ms; ``None`` stands for a clock that is no row's.
Parts = Sequence[tuple[int | None, float]]


class Strategy(Protocol):
    """Chooses rows of a table for the frames of one session, by what they took.

    There are three: ``runtime.choose.decision.controller.Controller`` for steady frames,
    ``runtime.choose.frame_policy.controller.FrameController`` for frames of variable load, and
    ``runtime.govern.governor.gestures.HeldStrategy``, which keeps to the row that a program names.

    Attributes:
        table: rows to choose from; it may be replaced once it is known how much work a frame is.
        caps: highest clock of clusters that have a limit, in kHz.
        max_power_mw: of a row.
        changes_within_frames: whether rows may change within a frame, so that a program is to report when its
            frames begin.
        next_ms: when the row changes, after the frame's beginning; infinite: not any more, or no frame runs.
    """

    table: DecisionTable
    deadline_ms: float
    trust: Trust
    caps: Mapping[str, int]
    max_power_mw: float

    @property
    def changes_within_frames(self) -> bool: ...

    @property
    def next_ms(self) -> float: ...

    def begin(self, remaining_ms: float | None, now_s: float) -> Decision:
        """Return what a frame that begins now runs at first."""

    def change(self) -> Decision:
        """Return what the frame that runs goes on at."""

    def decide(self, now_s: float) -> Decision:
        """Return what the next frame, or the one that runs, is to run at."""

    def learn(self, parts: Parts, is_late: bool, now_s: float, is_cold: bool) -> None:
        """Learn from a frame that is done."""

    def retarget(self, deadline_ms: float) -> None:
        """Take another deadline."""

    def fastest(self) -> int:
        """Return the fastest row within the limits."""

    def headroom(self) -> float:
        """Return the share of the deadline that is left at the fastest row."""


@dataclass
class GovernedSession:
    """Frames of some threads of one process.

    Attributes:
        pid, tids: whose frames.
        decision: for the next frame.
        in_effect: row that the machine really runs it at; ``None``: another clock than any row's.
        places: where the threads could run before they were moved.
        unmoved: why they are not where they should be; empty: they are.
        is_cold: the threads have just been moved: the next frame finds cold caches.
        is_asleep: it has not reported for a while, and asks for no clock until it does.
        sleep_s: without a word after which it is.
        frames, late: counted so far.
    """

    number: int
    pid: int
    tids: tuple[int, ...]
    name: str
    strategy: Strategy
    decision: Decision = field(default_factory=lambda: Decision(None, False))
    in_effect: int | None = None
    cpus: tuple[int, ...] | None = None
    places: Places = field(default_factory=lambda: Places({}))
    unmoved: str = ""
    is_cold: bool = False
    is_asleep: bool = False
    sleep_s: float = SLEEP_S
    last_s: float = 0.0
    frames: int = 0
    late: int = 0

    def __post_init__(self) -> None:
        self.within = self.strategy if self.strategy.changes_within_frames else None
        self._begun_s = 0.0
        self._parts: list[tuple[int | None, float]] = []  # of the frame that runs, but the last

    @property
    def row(self) -> Estimate | None:
        """What the next frame is asked to run at; ``None``: the kernel's clock."""
        return self._row_of(self.decision.row)

    @property
    def place(self) -> Setting:
        """Where it runs: at its row's setting, or at the kernel's clock on the cores of the fastest row."""
        row = self.row
        if row is not None:
            return row.setting
        return replace(self.strategy.table.rows[self.strategy.fastest()].setting, freq_khz=None)

    @property
    def row_in_effect(self) -> Estimate | None:
        """What the machine really runs it at."""
        return self._row_of(self.in_effect)

    @property
    def setting_text(self) -> str:
        """What the next frame runs at, in words."""
        row = self.row_in_effect
        return f"{self.place.cluster} @ kernel clock" if row is None else str(row.setting)

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.name or f"session {self.number} of process {self.pid}"

    @property
    def is_trusted(self) -> bool:
        """Whether the table is acted on, and the machine does what it is asked."""
        return self.decision.row is not None and self.in_effect is not None

    @property
    def change_s(self) -> float:
        """When the frame that runs is to go on at another row; infinite: not any more."""
        if self.within is None or self.is_asleep or self.decision.row is None:
            return math.inf
        return self._begun_s + self.within.next_ms / 1e3

    def begin(self, remaining_ms: float | None, now_s: float) -> Decision:
        """Return what a frame that begins now runs at, ``remaining_ms`` before its deadline."""
        self.wake(now_s)
        self._begun_s = now_s
        self._parts.clear()
        return self.decision if self.within is None else self.within.begin(remaining_ms, now_s)

    def change(self, now_s: float) -> Decision:
        """Return what the frame that runs goes on at."""
        self._parts = self.parts((now_s - self._begun_s) * 1e3)
        return self.decision if self.within is None else self.within.change()

    def report(self, actual_ms: float, is_late: bool, now_s: float) -> None:
        """Learn from a frame that is done."""
        self.count(1, is_late, now_s)
        self.strategy.learn(self.parts(actual_ms), is_late, now_s, self.is_cold)
        self.is_cold = False
        self._parts.clear()

    def count(self, frames: int, late: int, now_s: float) -> None:
        """Take note of frames that are done, and of how many of them were late."""
        self.wake(now_s)
        self.frames += frames
        self.late += late

    def wake(self, now_s: float) -> None:
        """Take note that the program lives: its frames ask for a clock."""
        self.last_s, self.is_asleep = now_s, False

    def parts(self, actual_ms: float) -> list[tuple[int | None, float]]:
        """Return the rows that a frame of ``actual_ms`` ran at, and how long at each."""
        before_ms = sum(ms for _, ms in self._parts)
        return [*self._parts, (self.in_effect, max(0.0, actual_ms - before_ms))]

    def energy_mj(self, actual_ms: float) -> float | None:
        """Return what a frame took, by the power of its rows; ``None``: that of one is not known."""
        energy_mj = 0.0
        for index, ms in self.parts(actual_ms):
            row = self._row_of(index)
            if row is None or row.power_mw is None:
                return None
            energy_mj += work_mj(row.power_mw, ms)
        return energy_mj

    def line(self, start_s: float, actual_ms: float, is_late: bool, read_khz: int | None) -> FrameLine:
        """Return what a log says of a frame that is done, before anything is learnt from it."""
        row = self.row_in_effect
        return FrameLine(
            start_s=start_s,
            latency_ms=actual_ms,
            late=is_late,
            cluster=self.place.cluster,
            freq_khz=None if row is None else row.setting.freq_khz,
            power_mw=None if row is None else row.power_mw,
            energy_mj=self.energy_mj(actual_ms),
            trusted=self.is_trusted,
            reason=self.decision.reason,
            read_khz=read_khz,
        )

    def row_at(self, cluster: str, freq_khz: int) -> int | None:
        """Return the row of a cluster at a clock, ``None`` where the table has none."""
        for index, row in enumerate(self.strategy.table.rows):
            if (row.setting.cluster, row.setting.freq_khz) == (cluster, freq_khz):
                return index
        return None

    def _row_of(self, index: int | None) -> Estimate | None:
        return None if index is None else self.strategy.table.rows[index]
