"""What a gesture will show at each setting, from the work of a frame; each gesture corrects that.

A browser's frames take work on one core, which can draw ``(c - r0) * 1000 / work_ms`` a second, c the share
of the fastest core that a setting has, and r0 what 60 inputs and frame signals a second take on any page.
Work is that of the page's own gestures before; until there was one, that of other pages. What the display
shows of it follows by ``Bend``.

A browser draws as many frames as its core has time for. So the cheapest setting is that of least power over
the gesture, frames and all; which takes least for a frame is another question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.choose.policy.estimate import Estimate
from runtime.device.setting import Setting
from runtime.device.soc.account import work_mj
from runtime.web.governing.bend import Bend
from runtime.web.interaction.rows import HELD_SHARE

OTHER_PAGES_MS = 4.0  # of a frame at full speed: 12 real pages of 12 take 2.5-4.0 (Chromium 150)
OVERHEAD = 0.02  # of a full core
MARGIN = 0.1  # on the wanted frames: with it gestures below 95 % of them are 1 % or fewer (Camel)
# A gesture's first frame is drawn at the setting of the page at rest: at a twentieth of a core after 170 ms,
# where a gap above three refreshes of 60 Hz is seen as a stutter. A core that sleeps costs the same at each.
_FIRST_MS = 50.0
# A gesture's share in what is known of the work never falls below: a page changes while it is used.
_LEAST_SHARE = 0.25
# Frames below this share of what their work allows were held up by something else, which counts as work.
_HELD_UP = 0.9
# A core that is as fast as any and has a quarter of its time to spare is not what frames wait for.
_FULL, SPARE = 0.9, 0.75
_AS_GOOD = 0.98  # of the most frames that any setting shows: two in a hundred are not worth its power
# A core so much faster that shows hardly more frames is not what they wait for either.
_CLEARLY_FASTER, _HARDLY_MORE = 1.2, 1.05
# A gesture is believed to take so many times what was known, not more: the machine may have been busy.
_MOST_STEP = 4.0
_LEAST_OWN = 0.3  # of what was measured of a frame: that is its own, not what goes on without frames
# The rest of a gesture may take more than its beginning, and perhaps not all its frames were shown.
_MAY_GROW = 1.2
# An alarm asks for a setting so much faster: less is within what the alarm itself is off by.
_FASTER = 1.4


@dataclass(frozen=True)
class GestureChoice:
    """A setting for a gesture.

    Attributes:
        row: of the model's rows.
        capacity: share of the fastest core that it has.
        fps: frames a second to be expected.
    """

    row: int
    setting: Setting
    capacity: float
    fps: float


class WorkModel:
    """Chooses the cheapest setting for a gesture of one page.

    Args:
        rows: settings, with the latency of work that takes 1 ms on the fastest core.
        refresh_hz: of the display.
        margin: share of the wanted frames to have in reserve.
        bends: by kind of gesture, where they are known.

    Example:
        >>> slow = Estimate("", Setting("little", 600_000), 5.0, 5.0, 5.0, 100.0, 0.5)
        >>> fast = Estimate("", Setting("big", 2_400_000), 1.0, 1.0, 1.0, 1500.0, 1.5)
        >>> model = WorkModel([slow, fast])
        >>> model.choose("scroll", 1800.0, fps=30.0).setting.cluster
        'little'
        >>> model.learn("scroll", 1800.0, capacity=0.2, fps=16.0, work_ms=10.0)
        >>> model.choose("scroll", 1800.0, fps=30.0).setting.cluster
        'big'
    """

    def __init__(
        self,
        rows: Sequence[Estimate],
        refresh_hz: float = 60.0,
        margin: float = MARGIN,
        bends: Mapping[str, Bend] | None = None,
    ):
        self.rows, self.refresh_hz, self.margin, self._bends = rows, refresh_hz, margin, bends or {}
        self._has_powers = all(row.power_mw is not None for row in rows)
        self._work_ms: dict[tuple[str, int], tuple[float, int]] = {}  # by kind and speed: and of how many
        self._most_fps: dict[tuple[str, int], float] = {}  # of those that no core makes faster
        self._seen: dict[
            tuple[str, int], tuple[float, float]
        ] = {}  # capacity and frames of the gesture before

    @property
    def idle(self) -> Setting:
        """The setting of least power, where none is known the slowest, that shows a first frame soon."""
        rows = [row for row in self.rows if row.latency_ms * OTHER_PAGES_MS <= _FIRST_MS] or self.rows
        if not self._has_powers:
            return max(rows, key=lambda row: row.latency_ms).setting
        return min(rows, key=lambda row: (row.power_mw, -row.latency_ms)).setting

    @property
    def fastest(self) -> Setting:
        """The setting that is as fast as any."""
        return min(self.rows, key=lambda row: row.latency_ms).setting

    @property
    def reads_features(self) -> bool:
        """Whether a page's features are of use."""
        return False

    def begin_page(self, features: Mapping[str, float]) -> None:
        """Forget what the frames of another page took.

        Args:
            features: of the page; empty where they are of no use.
        """
        self._work_ms.clear()
        self._most_fps.clear()
        self._seen.clear()

    def knows(self, kind: str, speed: float) -> bool:
        """Return whether the page has shown what such a gesture takes."""
        return (kind, class_of(speed)) in self._work_ms

    def choose(self, kind: str, speed: float, fps: float) -> GestureChoice:
        """Return the cheapest setting that is to have ``fps``, else of those that have about the most."""
        most_fps = self._most_fps.get((kind, class_of(speed)), self.refresh_hz)
        rate = self._bend(kind).rate(HELD_SHARE * min(fps, most_fps) * (1.0 + self.margin), self.refresh_hz)
        wanted = OVERHEAD + rate * self.work_ms(kind, speed) / 1e3
        offered = self._offered(kind, speed)
        most = max(each.fps for each in offered)
        enough = [each for each in offered if each.capacity >= wanted]
        return self._cheapest(
            enough or [each for each in offered if each.fps >= _AS_GOOD * most], kind, speed
        )

    def faster(self, choice: GestureChoice, kind: str, speed: float) -> GestureChoice:
        """Return the cheapest setting that is clearly faster, else the fastest: fewer frames came."""
        offered = self._offered(kind, speed)
        faster = [each for each in offered if each.capacity >= choice.capacity * _FASTER]
        return self._cheapest(faster, kind, speed) if faster else self._at_fastest(kind, speed)

    def work_ms(self, kind: str, speed: float) -> float:
        """Return what a frame takes on the fastest core, by gestures of this speed, else of this kind."""
        near = self._work_ms.get((kind, class_of(speed)))
        if near is not None:
            return near[0]
        known = [ms for (other, _), (ms, _) in self._work_ms.items() if other == kind]
        return max(known, default=OTHER_PAGES_MS)

    def learn(self, kind: str, speed: float, *, capacity: float, fps: float, work_ms: float) -> None:
        """Learn from a gesture that is over.

        Args:
            capacity: share of the fastest core that it ran at.
            fps: that were displayed.
            work_ms: CPU time of a displayed frame, in ms of the fastest core; ``OVERHEAD`` is in it.
        """
        if not (fps > 0 and 0 < work_ms < math.inf):
            return
        work_ms = _own_ms(work_ms, fps)
        room = max(capacity - OVERHEAD, 0.0) * 1e3
        key = kind, class_of(speed)
        most_fps = self._most_fps.pop(key, self.refresh_hz)
        slower, before_fps = self._seen.get(key, (math.inf, 0.0))
        self._seen[key] = capacity, fps
        is_fast = capacity >= _FULL / min(row.latency_ms for row in self.rows) or (
            capacity >= _CLEARLY_FASTER * slower and fps <= _HARDLY_MORE * before_fps
        )
        bend = self._bend(kind)
        if fps >= _HELD_UP * min(most_fps, bend.shown(room / work_ms, self.refresh_hz)):
            if most_fps < self.refresh_hz:
                self._most_fps[key] = max(fps, most_fps)  # more than before: what it waited for may be over
        elif is_fast and fps * work_ms < SPARE * room:
            self._most_fps[key] = fps
            self._work_ms.pop(key, None)  # what held frames up on slower cores was no work
        else:
            work_ms = room / bend.rate(fps, self.refresh_hz)
        work_ms = min(work_ms, _MOST_STEP * self.work_ms(kind, speed))
        before, count = self._work_ms.get(key, (work_ms, 0))
        share = max(1.0 / (count + 1), _LEAST_SHARE)
        self._work_ms[key] = before + share * (work_ms - before), count + 1

    def weigh(self, kind: str, speed: float, used: float) -> None:
        """Take what a gesture uses while it lasts, and some more, for what its frames take.

        ``learn`` replaces it.

        Args:
            used: share of the fastest core. There was time to spare, so that as many frames were drawn as the
                display asks for.
        """
        fps = self._bend(kind).ceiling * self.refresh_hz
        work_ms = _own_ms(used * 1e3 / fps, fps)
        self._work_ms[kind, class_of(speed)] = _MAY_GROW * work_ms, 0

    def _offered(self, kind: str, speed: float) -> list[GestureChoice]:
        """Return all settings with the frames to be expected."""
        most_fps = self._most_fps.get((kind, class_of(speed)), self.refresh_hz)
        work_ms, bend = self.work_ms(kind, speed), self._bend(kind)
        offered = []
        for row, estimate in enumerate(self.rows):
            capacity = 1.0 / estimate.latency_ms
            able = max(capacity - OVERHEAD, 0.0) * 1e3 / work_ms
            shown = min(most_fps, bend.shown(able, self.refresh_hz))
            offered.append(GestureChoice(row, estimate.setting, capacity, shown))
        return offered

    def _at_fastest(self, kind: str, speed: float) -> GestureChoice:
        return max(self._offered(kind, speed), key=lambda each: each.capacity)

    def _cheapest(self, offered: Sequence[GestureChoice], kind: str, speed: float) -> GestureChoice:
        """Return what takes the least power over a gesture; where none is known, the least capacity."""
        work_ms = self.work_ms(kind, speed)

        def cost(choice: GestureChoice) -> tuple[float, float]:
            power_mw = self.rows[choice.row].power_mw if self._has_powers else None
            busy = min((OVERHEAD + choice.fps * work_ms / 1e3) / choice.capacity, 1.0)
            return 0.0 if power_mw is None else work_mj(power_mw, 1e3 * busy), choice.capacity

        return min(offered, key=cost)

    def _bend(self, kind: str) -> Bend:
        return self._bends.get(kind, Bend())


def _own_ms(work_ms: float, fps: float) -> float:
    """Return what of a frame's work is its own, not what goes on without frames."""
    return max(work_ms - OVERHEAD * 1e3 / fps, _LEAST_OWN * work_ms)


def class_of(speed: float) -> int:
    """Return which gestures are about as fast: within a factor of two."""
    return round(math.log2(max(speed, 1.0)))
