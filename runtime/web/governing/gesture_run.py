"""One gesture while it is governed: its settings, its work, and at the end its frames."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.device.setting import Setting
from runtime.web.browser.display import HEADLESS_HZ, lag_s
from runtime.web.browser.processes import Drawing, spent_ms, work_by_role_ms
from runtime.web.governing.tracking import LiveGesture
from runtime.web.governing.work_model import GestureChoice

_AT_ONCE_S = 0.2  # of its beginning in which a gesture's work is not missed
# Before that a gesture's work tells little: its first frames wait for other things, and scatter.
WEIGH_S = 0.5
_LEAST_S = 0.25  # of a gesture whose frames are counted: in less there are too few to tell


@dataclass(frozen=True)
class PageIdentity:
    """What a page is called in records, and the sha256 of its main document as it was loaded."""

    name: str
    sha256: str


@dataclass(frozen=True)
class GovernedGesture:
    """What came of one gesture.

    Attributes:
        begin_s: on the monotonic clock.
        speed: as it was read, in CSS pixels a second.
        fps_target, predicted_fps: that it was to have, and what was expected at its last setting.
        window_s: in which frames were counted; the target asks for ``due`` of them.
        frames: that were displayed then; ``None``: the browser did not tell, or it was too short.
        settings: that it ran at, each with when it was set, in s after the beginning.
        capacity: share of the fastest core that it had, in the mean.
        gaps_ms: between the frames, and from the beginning to the first.
        work_by_role_ms: CPU time of a displayed frame by role of the thread, in ms of the fastest core;
            ``None``: not known.
        alarms: how often frames came clearly slower than predicted.
        page: that it was made on.
        choose_ms, hold_ms: what each decision took, and each change of the setting.
    """

    kind: str
    source: str
    begin_s: float
    speed: float
    fps_target: float
    predicted_fps: float
    window_s: float
    frames: int | None
    settings: tuple[tuple[float, Setting], ...]
    capacity: float
    gaps_ms: tuple[float, ...]
    work_by_role_ms: dict[str, float] | None
    alarms: int
    page: PageIdentity
    choose_ms: tuple[float, ...] = ()
    hold_ms: tuple[float, ...] = ()

    @property
    def work_ms(self) -> float | None:
        """CPU time of a displayed frame over all threads; ``None``: not known."""
        return None if self.work_by_role_ms is None else sum(self.work_by_role_ms.values())

    @property
    def fps(self) -> float | None:
        """Frames displayed a second; ``None``: not known."""
        return None if self.frames is None else self.frames / self.window_s

    @property
    def end_s(self) -> float:
        """When its last input came, on the monotonic clock."""
        return self.begin_s + self.window_s

    @property
    def due(self) -> int:
        """Frames that the target asks for."""
        return round(self.fps_target * self.window_s)

    @property
    def late(self) -> int:
        """Frames that were due and not displayed."""
        return 0 if self.frames is None else max(self.due - self.frames, 0)


class GestureRun:
    """Follows a gesture from its first input to its end.

    Args:
        choice: that it begins with.
        drawing: what draws its page.
        is_emulated: CPU time of a slow core is counted as that of a fast one.
        refresh_hz: of the display.
    """

    def __init__(
        self,
        gesture: LiveGesture,
        fps_target: float,
        choice: GestureChoice,
        drawing: Drawing,
        *,
        is_emulated: bool,
        now_s: float,
        refresh_hz: float = HEADLESS_HZ,
    ):
        self._late_s = lag_s(refresh_hz)
        self.gesture, self.fps_target, self.choice = gesture, fps_target, choice
        self.is_read, self.is_weighed, self.alarms = False, False, 0
        self._drawing, self._is_emulated, self._begin_s = drawing, is_emulated, now_s
        self._choices: list[tuple[float, GestureChoice]] = [(now_s, choice)]
        self._before_ms = work_by_role_ms(drawing)
        self._choose_ms: list[float] = []
        self._hold_ms: list[float] = []

    @property
    def _capacities(self) -> list[tuple[float, float]]:
        """The capacity that each setting gave, and from when on."""
        return [(at_s, choice.capacity) for at_s, choice in self._choices]

    def took(self, choose_s: float, hold_s: float | None) -> None:
        """Take note of how long a decision took, and the change that followed if there was one."""
        self._choose_ms.append(1e3 * choose_s)
        if hold_s is not None:
            self._hold_ms.append(1e3 * hold_s)

    def set(self, choice: GestureChoice, now_s: float) -> None:
        """Take note of another setting."""
        self.choice = choice
        self._choices.append((now_s, choice))

    def capacity(self, now_s: float) -> float:
        """Return the share of the fastest core that it had so far, in the mean."""
        return _mean(self._capacities, now_s)

    def used(self, now_s: float) -> float:
        """Return what the threads that draw had so far: the share of the fastest core."""
        spent = sum(spent_ms(self._before_ms, work_by_role_ms(self._drawing)).values())
        capacity = 1.0 if self._is_emulated else self.capacity(now_s)
        return capacity * spent / max(1e3 * (now_s - self._begin_s), 1.0)

    def busy(self, now_s: float) -> float:
        """Return the share of its core's time so far in which the threads that draw had it."""
        return self.used(now_s) / self.capacity(now_s)

    def may_be_weighed(self, now_s: float) -> bool:
        """Whether it lasts long enough for what it takes to tell something, and was not weighed before."""
        return self.is_read and not self.is_weighed and now_s - self._begin_s >= WEIGH_S

    def finish(self, times_s: Sequence[float] | None, page: PageIdentity) -> GovernedGesture:
        """Return what came of it; its last input was the last.

        Args:
            times_s: when frames were displayed; ``None``: not known.
            page: that it was made on.
        """
        gesture = self.gesture
        after_ms = work_by_role_ms(self._drawing)
        begin_s, end_s = gesture.begin_s + self._late_s, gesture.last_s + self._late_s
        frames: int | None = None
        gaps_ms: tuple[float, ...] = ()
        if times_s is not None and end_s - begin_s >= _LEAST_S:
            within = [time_s for time_s in times_s if begin_s <= time_s <= end_s]
            frames, edges = len(within), [begin_s, *within]
            gaps_ms = tuple(1e3 * (after - before) for before, after in itertools.pairwise(edges))
        capacity = self.capacity(end_s)
        work_ms = None
        if frames and self._begin_s - gesture.begin_s < _AT_ONCE_S:
            a_frame = (1.0 if self._is_emulated else capacity) / frames
            spent = spent_ms(self._before_ms, after_ms)
            work_ms = {role: ms * a_frame for role, ms in spent.items()}
        return GovernedGesture(
            gesture.kind,
            gesture.source,
            gesture.begin_s,
            gesture.speed,
            self.fps_target,
            self.choice.fps,
            max(end_s - begin_s, self._late_s),
            frames,
            tuple((at_s - gesture.begin_s, each.setting) for at_s, each in self._choices),
            capacity,
            gaps_ms,
            work_ms,
            self.alarms,
            page,
            tuple(self._choose_ms),
            tuple(self._hold_ms),
        )


def _mean(values: Sequence[tuple[float, float]], end_s: float) -> float:
    """Return the mean of values, each from its time to the next one's, the last to the end."""
    ends = [*(at_s for at_s, _ in values[1:]), end_s]
    spans = [(max(until_s - at_s, 1e-6), value) for (at_s, value), until_s in zip(values, ends, strict=True)]
    return sum(span * value for span, value in spans) / sum(span for span, _ in spans)
